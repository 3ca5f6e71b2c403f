//! Causes for the loss of a broker, each with its end. The bench of recovery times uses them too.

use std::time::Duration;

use tavrida::transport::Session;
use tavrida_rabbitmq::{Node, Result};
use tokio::time::sleep;

/// The user that servers and clients log in as.
pub(crate) const USER: &str = "shop";
pub(crate) const VHOST: &str = "shop";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause {
    /// An operator closes all connections.
    Close,
    /// The broker is killed and restarted.
    Kill,
    /// The virtual host is deleted and created again.
    VirtualHost,
    /// The queue is deleted.
    Queue,
    /// The user loses all permissions in the virtual host, and gets them back.
    Permission,
    /// The user has a different password for a while.
    Password,
}

impl Cause {
    pub(crate) const ALL: [Self; 6] =
        [Self::Close, Self::Kill, Self::VirtualHost, Self::Queue, Self::Permission, Self::Password];

    /// Causes it, for `outage` if it has a duration, and ends it.
    pub(crate) async fn pass(
        self,
        node: &Node,
        session: &dyn Session,
        queue: &str,
        outage: Duration,
    ) -> Result<()> {
        match self {
            Self::Close => node.close_all_connections("maintenance").await,
            Self::Kill => {
                node.kill().await?;
                node.start_again().await
            }
            Self::VirtualHost => {
                node.delete_vhost(VHOST).await?;
                sleep(outage).await;
                make_vhost(node).await
            }
            Self::Queue => {
                session.admin().delete_queue(queue, false, false).await.expect("an admin may delete it");
                Ok(())
            }
            Self::Permission => {
                node.eval(&format!(
                    "{BACKEND}:clear_permissions(<<\"{USER}\">>, <<\"{VHOST}\">>, <<\"test\">>)"
                ))
                .await?;
                node.close_all_connections("permissions").await?;
                sleep(outage).await;
                permit(node).await
            }
            Self::Password => {
                change_password(node, "another").await?;
                node.close_all_connections("password").await?;
                sleep(outage).await;
                change_password(node, USER).await
            }
        }
    }
}

const BACKEND: &str = "rabbit_auth_backend_internal";

/// Creates the user and its virtual host. Returns the user's address.
pub(crate) async fn prepare(node: &Node) -> Result<String> {
    node.eval(&format!("{BACKEND}:add_user(<<\"{USER}\">>, <<\"{USER}\">>, <<\"test\">>)")).await?;
    make_vhost(node).await?;
    Ok(format!("amqp://{USER}:{USER}@127.0.0.1:{}/{VHOST}", node.port()))
}

async fn make_vhost(node: &Node) -> Result<()> {
    node.add_vhost(VHOST).await?;
    permit(node).await
}

async fn permit(node: &Node) -> Result<()> {
    let all = "<<\".*\">>";
    let permit = format!(
        "{BACKEND}:set_permissions(<<\"{USER}\">>, <<\"{VHOST}\">>, {all}, {all}, {all}, <<\"test\">>), mnesia:sync_log()"
    );
    node.eval(&permit).await.map(drop)
}

async fn change_password(node: &Node, password: &str) -> Result<()> {
    let change = format!("{BACKEND}:change_password(<<\"{USER}\">>, <<\"{password}\">>, <<\"test\">>)");
    node.eval(&change).await.map(drop)
}

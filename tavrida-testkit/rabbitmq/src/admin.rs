//! What a test needs of a running node: addresses, virtual hosts, connections, alarms, RabbitMQ's own tools.

use std::{process::Command, time::Duration};

use tokio::{process, time};

use crate::{
    control::erlang_binary,
    error::{Error, Kind, Result},
    node::Node,
    version::Version,
};

/// Joining a cluster or stopping an application with many queues is slow, but stays below this.
const CTL_LIMIT: Duration = Duration::from_secs(120);

impl Node {
    /// Returns the Erlang name of the node, `name@localhost`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.layout.node
    }

    /// Returns the version of the node's RabbitMQ.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the port of 127.0.0.1 at which the node listens for AMQP connections; restarts keep it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.layout.port
    }

    /// Returns the port of 127.0.0.1 at which the node listens for TLS connections, if [configured](crate::NodeBuilder::tls); restarts keep
    /// it.
    #[must_use]
    pub fn tls_port(&self) -> Option<u16> {
        self.layout.tls_port
    }

    /// Returns the port of the node's `epmd`. With [`cookie`](Self::cookie), your own Erlang tools can connect.
    #[must_use]
    pub fn epmd_port(&self) -> u16 {
        self.site.epmd_port()
    }

    /// Returns the Erlang cookie of the node.
    #[must_use]
    pub fn cookie(&self) -> &str {
        self.site.cookie()
    }

    /// Returns the address of the default virtual host, `/`, for the user guest.
    #[must_use]
    pub fn uri(&self) -> String {
        self.uri_for("/")
    }

    /// Returns the address of a virtual host for the user guest; the name is percent-encoded as needed.
    #[must_use]
    pub fn uri_for(&self, vhost: &str) -> String {
        uri(self.port(), vhost)
    }

    /// Creates a virtual host with full permissions for the user guest. It takes milliseconds, since it runs no tool. If the virtual host
    /// exists, only the permissions are set. It survives a kill of the node.
    ///
    /// If the future is dropped, the virtual host may exist or not.
    ///
    /// # Errors
    /// The node does not run, or refused.
    pub async fn add_vhost(&self, name: &str) -> Result<()> {
        self.add_vhost_with(name, "#{}").await
    }

    /// Does the same as [`add_vhost`](Self::add_vhost) with a default queue type, such as `quorum`: a durable queue that is neither
    /// exclusive nor auto-delete, and is declared without a type, becomes one of this type. From RabbitMQ 4.0 (3.10 has no such default).
    ///
    /// # Errors
    /// As [`add_vhost`](Self::add_vhost); the node is older.
    pub async fn add_vhost_of(&self, name: &str, default_queue_type: &str) -> Result<()> {
        let asked = format!("add_vhost {name} --default-queue-type {default_queue_type}");
        if self.version().major < 4 {
            let answer = format!("RabbitMQ {} has no default queue types; 4.0 has", self.version());
            return Err(Kind::Refused { asked, answer }.into());
        }
        self.add_vhost_with(
            name,
            &format!("#{{default_queue_type => {}}}", erlang_binary(default_queue_type)),
        )
        .await
    }

    async fn add_vhost_with(&self, name: &str, metadata: &str) -> Result<()> {
        let vhost = erlang_binary(name);
        let all = erlang_binary(".*");
        self.eval(&format!(
            "ok = rabbit_vhost:add({vhost}, {metadata}, <<\"tavrida\">>), \
             ok = rabbit_auth_backend_internal:set_permissions(\
                <<\"guest\">>, {vhost}, {all}, {all}, {all}, <<\"tavrida\">>), \
             catch mnesia:sync_log()"
        ))
        .await
        .map(drop)
    }

    /// Deletes a virtual host with its content; its connections are closed.
    ///
    /// If the future is dropped, the deletion continues.
    ///
    /// # Errors
    /// The node does not run, or there is no such virtual host.
    pub async fn delete_vhost(&self, name: &str) -> Result<()> {
        self.eval(&delete_vhost(name)).await.map(drop)
    }

    /// Closes all client connections as an operator would: clients get a `connection.close` with code 320 (CONNECTION_FORCED) and `reason`
    /// in its text.
    ///
    /// If the future is dropped, the connections may be closed or not.
    ///
    /// # Errors
    /// The node does not run.
    pub async fn close_all_connections(&self, reason: &str) -> Result<()> {
        let reason = erlang_binary(reason);
        // Where `pg_local` runs (before 4.0), a connection opened just now could be missed without the sync. One that ends just now is
        // not a failure.
        let close = format!(
            "[pg_local:sync() || whereis(pg_local) =/= undefined], Close = fun(Connection) -> \
                 try rabbit_networking:close_connection(Connection, binary_to_list({reason})) \
                 catch exit:{{Why, _}} when Why =:= normal; Why =:= noproc; Why =:= shutdown -> ended end \
             end, lists:foreach(Close, rabbit_networking:local_connections())"
        );
        self.eval(&close).await.map(drop)
    }

    /// Sets the share of the machine's memory above which publishers are blocked: 0.0 blocks them at once (`connection.blocked`), 0.4 is
    /// RabbitMQ's default.
    ///
    /// # Errors
    /// The node does not run or refused.
    pub async fn set_memory_watermark(&self, share: f64) -> Result<()> {
        self.eval(&format!("ok = vm_memory_monitor:set_vm_memory_high_watermark({share:?})")).await.map(drop)
    }

    /// Stops the broker but not its Erlang VM: connections end, nothing listens, data stays.
    ///
    /// # Errors
    /// The node does not run.
    pub async fn stop_app(&self) -> Result<()> {
        self.eval("rabbit:stop()").await.map(drop)
    }

    /// Starts the broker again after [`stop_app`](Self::stop_app) and waits until it accepts AMQP
    /// connections.
    ///
    /// # Errors
    /// The node does not run, or the broker did not come up.
    pub async fn start_app(&self) -> Result<()> {
        self.eval("rabbit:start()").await?;
        self.ready().await
    }

    /// Evaluates an Erlang expression, or several separated by commas, in the node's VM. Returns the last value as Erlang prints it. It
    /// takes less than a millisecond; `rabbitmqctl eval` boots its own VM.
    ///
    /// If the future is dropped, the evaluation continues.
    ///
    /// # Errors
    /// The node does not run, does not answer within 30 seconds, or the evaluation failed.
    pub async fn eval(&self, expression: &str) -> Result<String> {
        self.must_run()?;
        self.control.eval(expression).await
    }

    /// Runs RabbitMQ's command line tool on this node. Returns its output. Each call boots an Erlang VM, which takes half a second or more:
    /// prefer the methods above where possible.
    ///
    /// ```no_run
    /// # async fn example(node: tavrida_rabbitmq::Node) -> tavrida_rabbitmq::Result<()> {
    /// let queues = node.rabbitmqctl(["list_queues", "--silent", "name", "messages"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If the future is dropped, the tool is killed; what it began in the node continues.
    ///
    /// # Errors
    /// The tool failed (the error has its output) or took more than two minutes.
    pub async fn rabbitmqctl<I, A>(&self, args: I) -> Result<String>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<str>,
    {
        let args: Vec<String> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let asked = format!("rabbitmqctl {}", args.join(" "));
        let mut ctl = self.site.ctl();
        ctl.args(["--node", self.name()]).args(args);
        run(ctl, asked).await
    }
}

async fn run(command: Command, asked: String) -> Result<String> {
    let output =
        process::Command::from(command).stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let output =
        time::timeout(CTL_LIMIT, output).await.map_err(|_| Error::timed_out(asked.clone(), CTL_LIMIT))?;
    let output = output.map_err(|e| Error::io(asked.clone(), e))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let answer = format!("{}: {printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    Err(Kind::Refused { asked, answer }.into())
}

pub(crate) fn delete_vhost(name: &str) -> String {
    format!("ok = rabbit_vhost:delete({}, <<\"tavrida\">>)", erlang_binary(name))
}

pub(crate) fn uri(port: u16, vhost: &str) -> String {
    let mut uri = format!("amqp://guest:guest@127.0.0.1:{port}/");
    for byte in vhost.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_host_is_percent_encoded_in_its_address() {
        assert_eq!(uri(5672, "/"), "amqp://guest:guest@127.0.0.1:5672/%2f");
        assert_eq!(uri(5672, "a b/ж"), "amqp://guest:guest@127.0.0.1:5672/a%20b%2f%d0%b6");
        assert_eq!(uri(5672, "test-1.x_y~z"), "amqp://guest:guest@127.0.0.1:5672/test-1.x_y~z");
    }
}

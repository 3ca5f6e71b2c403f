//! The private RabbitMQ node: it lives, dies and comes back alone, and leaves nothing behind.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use tavrida_testkit::rabbitmq::{self, Node};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// A connection on which the broker has sent the first byte of its first frame.
async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    assert_eq!(stream.read_u8().await?, 1, "the first frame is a method's");
    Ok(stream)
}

/// The processes whose command line or environment speaks of `folder`.
fn processes_of(folder: &Path) -> Vec<u32> {
    let folder = folder.display().to_string();
    let speaks =
        |path: String| fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(&folder));
    let entries = fs::read_dir("/proc").expect("Linux shows its processes there");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id: &u32| speaks(format!("/proc/{id}/cmdline")) || speaks(format!("/proc/{id}/environ")))
        .collect()
}

fn folder_of(node: &Node) -> PathBuf {
    let log = node.log();
    let folder = log.ancestors().nth(2).expect("the log is in the node's folder, and that in the site's");
    folder.to_owned()
}

#[tokio::test]
async fn dropping_a_node_ends_its_processes_and_removes_its_folder() {
    let node = Node::start().await.unwrap();
    let folder = folder_of(&node);
    let (vm, epmd) = (node.pid().unwrap(), node.epmd_pid());
    let before = processes_of(&folder);
    assert!(before.contains(&vm) && before.contains(&epmd), "VM {vm} and epmd {epmd} among {before:?}");

    drop(node);

    // Helpers of the VM end by themselves once they see that it is gone.
    let gone = time::timeout(Duration::from_secs(5), async {
        while !processes_of(&folder).is_empty() {
            time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.unwrap_or_else(|_| panic!("left behind: {:?}", processes_of(&folder)));
    assert!(!Path::new(&format!("/proc/{vm}")).exists());
    assert!(!Path::new(&format!("/proc/{epmd}")).exists());
    assert!(!folder.exists());
}

#[tokio::test]
async fn two_nodes_at_once_do_not_meet() {
    let (one, two) =
        tokio::try_join!(Node::builder().name("same").start(), Node::builder().name("same").start()).unwrap();

    one.add_vhost("only-here").await.unwrap();

    let vhosts = two.rabbitmqctl(["list_vhosts", "--silent"]).await.unwrap();
    assert_eq!(vhosts.trim(), "/");
    assert_eq!(two.eval("erlang:nodes()").await.unwrap(), "[]");
    assert_eq!((one.name(), two.name()), ("same@localhost", "same@localhost"));
    assert_ne!(one.port(), two.port());
}

#[tokio::test]
async fn a_killed_node_comes_back_with_its_data_at_the_same_port() {
    let node = Node::start().await.unwrap();
    let (port, first_life) = (node.port(), node.pid());
    node.add_vhost("kept").await.unwrap();
    let mut connection = connect(port).await.unwrap();

    node.kill().await.unwrap();
    assert!(!node.is_running());
    assert!(node.eval("1").await.unwrap_err().is_not_running());
    // However the connection ends, it does end.
    let _ = connection.read_to_end(&mut Vec::new()).await;
    assert!(connect(port).await.is_err());

    node.start_again().await.unwrap();
    assert_eq!(node.port(), port);
    assert_ne!(node.pid(), first_life);
    connect(port).await.unwrap();
    let vhosts = node.rabbitmqctl(["list_vhosts", "--silent"]).await.unwrap();
    assert!(vhosts.lines().any(|vhost| vhost == "kept"), "{vhosts}");
    assert!(node.start_again().await.unwrap_err().is_running());
}

#[tokio::test]
async fn a_node_restarts_in_an_orderly_way_even_if_paused() {
    let node = Node::start().await.unwrap();
    node.add_vhost("kept").await.unwrap();
    node.pause().unwrap();

    node.restart().await.unwrap();

    assert_eq!(node.eval("rabbit_vhost:exists(<<\"kept\">>)").await.unwrap(), "true");
}

#[tokio::test]
async fn a_paused_node_answers_nothing_until_it_is_resumed() {
    let node = Node::start().await.unwrap();
    node.pause().unwrap();

    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, node.port())).await.unwrap();
    stream.write_all(PROTOCOL_HEADER).await.unwrap();
    time::timeout(Duration::from_millis(300), stream.read_u8()).await.expect_err("a paused node is silent");

    node.resume().unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1);
}

#[tokio::test]
async fn the_broker_stops_and_starts_inside_its_vm() {
    let node = Node::start().await.unwrap();
    let vm = node.pid();

    node.stop_app().await.unwrap();
    assert!(connect(node.port()).await.is_err());

    node.start_app().await.unwrap();
    connect(node.port()).await.unwrap();
    assert_eq!(node.pid(), vm);
}

#[tokio::test]
async fn each_test_gets_a_virtual_host_of_its_own_on_the_shared_node() {
    let (one, two) = tokio::try_join!(rabbitmq::shared_vhost(), rabbitmq::shared_vhost()).unwrap();

    assert_ne!(one.name(), two.name());
    assert!(std::ptr::eq(one.node(), two.node()));
    assert_eq!(one.uri(), format!("amqp://guest:guest@127.0.0.1:{}/{}", one.node().port(), one.name()));
    let permissions =
        one.node().rabbitmqctl(["list_permissions", "--silent", "-p", one.name()]).await.unwrap();
    assert_eq!(permissions.lines().last().unwrap(), "guest\t.*\t.*\t.*");
}

#[tokio::test]
async fn dropping_a_virtual_host_deletes_it() {
    let vhost = rabbitmq::shared_vhost().await.unwrap();
    let (node, name) = (vhost.node(), vhost.name().to_owned());
    let exists = format!("rabbit_vhost:exists(<<\"{name}\">>)");
    assert_eq!(node.eval(&exists).await.unwrap(), "true");

    drop(vhost);

    time::timeout(Duration::from_secs(10), async {
        while node.eval(&exists).await.unwrap() == "true" {
            time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the virtual host goes soon");
}

#[tokio::test]
async fn a_missing_installation_is_an_error_that_says_how_to_install() {
    let error = Node::builder().scripts("/nowhere").start().await.unwrap_err();

    assert!(error.is_not_installed());
    assert!(error.to_string().contains("apt-get install rabbitmq-server"), "{error}");
    assert!(error.to_string().contains("/nowhere"), "{error}");
}

#[tokio::test]
async fn a_node_that_does_not_boot_shows_its_log() {
    let error = Node::builder().config_line("no_such_setting = 1").start().await.unwrap_err();

    assert!(error.is_boot());
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

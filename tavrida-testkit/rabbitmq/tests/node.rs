//! The private RabbitMQ node: it starts, stops and restarts independently, and leaves nothing behind.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use tavrida_rabbitmq::{Cluster, Node};
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

/// Returns the processes whose command line or environment names `folder`; Linux shows both as files.
#[cfg(target_os = "linux")]
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

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_a_node_ends_its_processes_and_removes_its_folder() {
    let node = Node::start().await.unwrap();
    let folder = folder_of(&node);
    let (vm, epmd) = (node.pid().unwrap(), node.epmd_pid());
    let before = processes_of(&folder);
    assert!(before.contains(&vm) && before.contains(&epmd), "VM {vm} and epmd {epmd} among {before:?}");

    drop(node);

    // Helpers of the VM end once they notice that it has ended.
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
    // The connection ends in one way or another.
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

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_paused_node_has_stopped_when_the_call_returns() {
    let node = Node::start().await.unwrap();
    for _ in 0..100 {
        node.pause().unwrap();
        let threads = std::fs::read_dir(format!("/proc/{}/task", node.pid().unwrap())).unwrap();
        let stats =
            threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap());
        // The state follows the name, which is in brackets: `T` is stopped.
        let states: Vec<String> =
            stats.map(|stat| stat.rsplit_once(") ").unwrap().1[..1].to_owned()).collect();
        node.resume().unwrap();
        assert!(states.iter().all(|state| state == "T"), "{states:?}");
    }
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
    let (one, two) =
        tokio::try_join!(tavrida_rabbitmq::shared_vhost(), tavrida_rabbitmq::shared_vhost()).unwrap();

    assert_ne!(one.name(), two.name());
    assert!(std::ptr::eq(one.node(), two.node()));
    assert_eq!(one.uri(), format!("amqp://guest:guest@127.0.0.1:{}/{}", one.node().port(), one.name()));
    let permissions =
        one.node().rabbitmqctl(["list_permissions", "--silent", "-p", one.name()]).await.unwrap();
    assert_eq!(permissions.lines().last().unwrap(), "guest\t.*\t.*\t.*");
}

#[tokio::test]
async fn dropping_a_virtual_host_deletes_it() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
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

#[tokio::test]
async fn a_name_that_erlang_would_refuse_is_refused() {
    let error = Node::builder().name("two words").start().await.unwrap_err();

    let source = std::error::Error::source(&error).expect("it says why");
    assert!(source.to_string().contains("two words"), "{source}");
}

/// A method's frame on channel 0.
fn frame(class: u8, method: u8, arguments: &[u8]) -> Vec<u8> {
    let length = u32::try_from(arguments.len() + 4).expect("a short frame");
    let ids = [0, class, 0, method];
    [&[1, 0, 0], &length.to_be_bytes()[..], &ids, arguments, &[0xce]].concat()
}

/// Opens an AMQP connection to the default virtual host with bare frames, up to `connection.open-ok`.
async fn open(port: u16) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    stream.write_all(&frame(10, 11, b"\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US")).await?;
    // One channel, frames of 128 KiB, no heartbeat.
    stream.write_all(&frame(10, 31, &[0, 1, 0, 2, 0, 0, 0, 0])).await?;
    stream.write_all(&frame(10, 40, b"\x01/\0\0")).await?;
    for method in [10, 30, 41] {
        assert_eq!(read_method(&mut stream).await?[..4], [0, 10, 0, method]);
    }
    Ok(stream)
}

/// The class, the method and the arguments of the next frame.
async fn read_method(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut rest = vec![0; length as usize + 1];
    stream.read_exact(&mut rest).await?;
    Ok(rest)
}

#[tokio::test]
async fn closing_all_connections_tells_the_clients_why() {
    let node = Node::start().await.unwrap();
    let mut connection = open(node.port()).await.unwrap();

    node.close_all_connections("maintenance").await.unwrap();

    let closed = time::timeout(Duration::from_secs(10), read_method(&mut connection)).await.unwrap().unwrap();
    assert_eq!(closed[..4], [0, 10, 0, 50], "connection.close");
    assert_eq!(closed[4..6], 320_u16.to_be_bytes());
    assert!(String::from_utf8_lossy(&closed[6..]).contains("maintenance"), "{closed:?}");
}

#[tokio::test]
async fn a_low_memory_watermark_raises_the_alarm_that_blocks_publishers() {
    let node = Node::builder().memory_watermark(0.5).start().await.unwrap();
    assert_eq!(node.eval("rabbit_alarm:get_alarms()").await.unwrap(), "[]");

    node.set_memory_watermark(0.0).await.unwrap();
    let alarms = node.eval("rabbit_alarm:get_alarms()").await.unwrap();
    assert!(alarms.contains("memory"), "{alarms}");

    node.set_memory_watermark(0.5).await.unwrap();
    assert_eq!(node.eval("rabbit_alarm:get_alarms()").await.unwrap(), "[]");
}

#[tokio::test]
async fn a_node_knows_its_version() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();

    let version = vhost.node().version();

    let tool = vhost.node().rabbitmqctl(["version"]).await.unwrap();
    assert_eq!(version.to_string(), tool.trim());
}

#[tokio::test]
async fn a_virtual_host_can_make_quorum_queues_of_what_is_declared_without_a_type() {
    let node = tavrida_rabbitmq::shared().await.unwrap();
    let made = node.add_vhost_of("quorum", "quorum").await;

    if node.version().major < 4 {
        let error = made.unwrap_err();
        assert!(error.is_refused() && error.to_string().contains("--default-queue-type quorum"), "{error}");
    } else {
        made.unwrap();
        let vhosts =
            node.rabbitmqctl(["list_vhosts", "--silent", "name", "default_queue_type"]).await.unwrap();
        assert!(vhosts.lines().any(|vhost| vhost == "quorum\tquorum"), "{vhosts}");
        node.delete_vhost("quorum").await.unwrap();
    }
}

#[tokio::test]
async fn options_reach_the_node() {
    let node = Node::builder()
        .name("chosen")
        .config_line("heartbeat = 7")
        .consumer_timeout(Duration::from_millis(1500))
        .plugin("rabbitmq_random_exchange")
        .start()
        .await
        .unwrap();

    assert_eq!(node.name(), "chosen@localhost");
    assert_eq!(node.eval("application:get_env(rabbit, heartbeat)").await.unwrap(), "{ok,7}");
    assert_eq!(node.eval("application:get_env(rabbit, consumer_timeout)").await.unwrap(), "{ok,1500}");
    assert_eq!(node.eval("rabbit_plugins:active()").await.unwrap(), "[rabbitmq_random_exchange]");
}

#[tokio::test]
async fn an_evaluation_that_fails_says_what_and_why() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();

    let error = vhost.node().eval("1 = 2").await.unwrap_err();

    assert!(error.is_refused());
    assert_eq!(error.to_string(), "RabbitMQ refused `1 = 2`: error: {badmatch,2}");
}

#[tokio::test]
async fn a_tool_that_fails_says_what_and_why() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();

    let error = vhost.node().rabbitmqctl(["no_such_command"]).await.unwrap_err();

    assert!(error.is_refused());
    assert!(error.to_string().contains("no_such_command"), "{error}");
}

#[tokio::test]
async fn a_cluster_shares_its_virtual_hosts_and_survives_a_node() {
    let cluster = Cluster::start(3).await.unwrap();
    let exists = "rabbit_vhost:exists(<<\"everywhere\">>)";

    cluster.node(0).add_vhost("everywhere").await.unwrap();
    cluster.node(0).kill().await.unwrap();

    for node in &cluster.nodes()[1..] {
        assert_eq!(node.eval(exists).await.unwrap(), "true");
        connect(node.port()).await.unwrap();
    }
    cluster.node(0).start_again().await.unwrap();
    assert_eq!(cluster.node(0).eval(exists).await.unwrap(), "true");
}

/// Not a test itself: the next one runs it in a process that it kills.
#[tokio::test]
#[ignore = "waits to be killed by a_killed_test_process_leaves_nothing_behind"]
async fn a_test_process_to_be_killed() {
    let file = std::env::var_os(HAND_OVER).expect("the test that starts this process says where to write");
    let node = tavrida_rabbitmq::shared().await.unwrap();
    node.pause().unwrap();
    let folder = folder_of(node);
    fs::write(file, folder.to_str().unwrap()).unwrap();
    std::future::pending::<()>().await;
}

const HAND_OVER: &str = "TAVRIDA_TEST_HAND_OVER";

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_test_process_leaves_nothing_behind() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("folder");
    let mut process = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "a_test_process_to_be_killed"])
        .env(HAND_OVER, &file)
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let folder = time::timeout(Duration::from_secs(120), async {
        loop {
            match fs::read_to_string(&file) {
                Ok(folder) if !folder.is_empty() => return PathBuf::from(folder),
                _ => time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    let folder = folder.await.expect("the other process starts a node");
    assert!(processes_of(&folder).len() >= 3, "a VM, an epmd and a watchdog");

    process.kill().await.unwrap();

    let gone = time::timeout(Duration::from_secs(20), async {
        while folder.exists() || !processes_of(&folder).is_empty() {
            time::sleep(Duration::from_millis(20)).await;
        }
    });
    gone.await.unwrap_or_else(|_| panic!("left behind: {:?} {}", processes_of(&folder), folder.display()));
}

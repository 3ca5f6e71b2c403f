//! How long it takes until a first connection is accepted: until `connection.start` has come.

use std::time::{Duration, Instant};

use tavrida_memory::MemoryBroker;
use tavrida_rabbitmq::Node;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};

use crate::process::Process;
use crate::{median, version_of};

const ROUNDS: usize = 21;

pub(crate) async fn measure(boot: Duration, node: &Node) {
    println!("start to first connection accepted (goal: < 10 ms)");
    let (mut within, mut process) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let port = MemoryBroker::new().listen("127.0.0.1:0").await.expect("a port");
        is_accepted(port.addr()).await;
        within.push(begun.elapsed().as_secs_f64() * 1e3);

        let begun = Instant::now();
        let broker = Process::start(version_of(node));
        is_accepted(broker.address()).await;
        process.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("  {:<44} {:>10.2} ms", "MemoryBroker::listen", median(within));
    println!("  {:<44} {:>10.2} ms", "tavrida-broker, with its process", median(process));
    println!("  {:<44} {:>10.0} ms, once", format!("RabbitMQ {}", node.version()), boot.as_secs_f64() * 1e3);
}

async fn is_accepted(address: impl ToSocketAddrs) {
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    stream.write_all(b"AMQP\0\0\x09\x01").await.expect("it reads");
    assert_eq!(stream.read_u8().await.expect("it answers"), 1, "a method is first");
}

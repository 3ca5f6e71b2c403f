//! The chain as hosts and datagrams, in turmoil.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use turmoil::net::UdpSocket;

const PORT: u16 = 1;

/// A service: one task for each request, with its own socket to ask the next service if there is one.
async fn service(next: Option<&'static str>) -> turmoil::Result {
    let socket = Rc::new(UdpSocket::bind(("0.0.0.0", PORT)).await?);
    let mut buffer = [0; 8];
    loop {
        let (_, asker) = socket.recv_from(&mut buffer).await?;
        let (socket, request) = (socket.clone(), buffer);
        let answer = async move {
            let answer = match next {
                Some(next) => ask(next, request).await?,
                None => (i64::from_be_bytes(request) + 1).to_be_bytes(),
            };
            socket.send_to(&answer, asker).await
        };
        tokio::task::spawn_local(answer);
    }
}

async fn ask(host: &str, request: [u8; 8]) -> std::io::Result<[u8; 8]> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await?;
    socket.send_to(&request, (host, PORT)).await?;
    let mut answer = [0; 8];
    socket.recv_from(&mut answer).await?;
    Ok(answer)
}

/// Makes a run in which each message takes a random latency, in milliseconds. Returns the virtual time of the run, in seconds.
fn three_requests(seed: u64, latency: Range<u64>) -> f64 {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::from_secs(60))
        .min_message_latency(Duration::from_millis(latency.start))
        .max_message_latency(Duration::from_millis(latency.end))
        .build();
    sim.host("orders", || service(Some("billing")));
    sim.host("billing", || service(Some("audit")));
    sim.host("audit", || service(None));
    sim.client("web", async {
        let request = |cents: i64| ask("orders", cents.to_be_bytes());
        let (one, two, three) = tokio::try_join!(request(1), request(2), request(3))?;
        assert_eq!([one, two, three].map(i64::from_be_bytes), [2, 3, 4]);
        Ok(())
    });
    sim.run().expect("the client is answered");
    sim.elapsed().as_secs_f64()
}

pub fn fast(seeds: Range<u64>) -> f64 {
    seeds.map(|seed| three_requests(seed, 1..2)).sum()
}

pub fn slow(seeds: Range<u64>) -> f64 {
    seeds.map(|seed| three_requests(seed, 0..100)).sum()
}

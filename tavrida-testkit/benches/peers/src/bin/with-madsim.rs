//! The chain as nodes and endpoints, in madsim. Prints two numbers: schedules for each second of processor time with madsim's own latency,
//! and virtual seconds for each second of processor time with a latency of 0 to 100 ms.

#[cfg(madsim)]
#[path = "../clock.rs"]
mod clock;

#[cfg(madsim)]
fn main() {
    let (runs, config) = (1000, madsim::Config::default());
    let (_, took) = measured(runs, &config);
    let mut slow = config;
    slow.net.send_latency = std::time::Duration::ZERO..std::time::Duration::from_millis(100);
    let (virtual_seconds, slow_took) = measured(runs, &slow);
    println!("{} {}", runs as f64 / took, virtual_seconds / slow_took);
    let _ = clock::median;
}

#[cfg(not(madsim))]
fn main() {
    eprintln!("madsim wants RUSTFLAGS='--cfg madsim' for all that is built with it");
    std::process::exit(2);
}

#[cfg(madsim)]
fn measured(runs: u64, config: &madsim::Config) -> (f64, f64) {
    let began = clock::processor_seconds();
    let virtual_seconds = (0..runs).map(|seed| chain::three_requests(seed, config.clone())).sum();
    (virtual_seconds, clock::processor_seconds() - began)
}

#[cfg(madsim)]
mod chain {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use madsim::net::Endpoint;
    use madsim::runtime::Runtime;
    use madsim::{Config, task, time};

    /// The tag of requests; an answer has the tag that its request names.
    const REQUESTS: u64 = 1;

    struct Service {
        endpoint: Arc<Endpoint>,
        tags: Arc<AtomicU64>,
    }

    impl Service {
        async fn bind(address: &str) -> Self {
            let endpoint = Endpoint::bind(address).await.expect("an endpoint");
            Self { endpoint: Arc::new(endpoint), tags: Arc::new(AtomicU64::new(REQUESTS + 1)) }
        }

        async fn ask(&self, to: &str, cents: i64) -> i64 {
            let tag = self.tags.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 16];
            request[..8].copy_from_slice(&cents.to_be_bytes());
            request[8..].copy_from_slice(&tag.to_be_bytes());
            self.endpoint.send_to(to, REQUESTS, &request).await.expect("it is sent");
            let mut answer = [0; 8];
            self.endpoint.recv_from(tag, &mut answer).await.expect("an answer");
            i64::from_be_bytes(answer)
        }

        async fn serve(self, next: Option<&'static str>) {
            let service = Arc::new(self);
            loop {
                let mut request = [0; 16];
                let (_, asker) =
                    service.endpoint.recv_from(REQUESTS, &mut request).await.expect("a request");
                let service = service.clone();
                task::spawn(async move {
                    let half = |at: usize| request[at..at + 8].try_into().expect("eight bytes");
                    let (cents, tag) = (i64::from_be_bytes(half(0)), u64::from_be_bytes(half(8)));
                    let total = match next {
                        Some(next) => service.ask(next, cents).await,
                        None => cents + 1,
                    };
                    service.endpoint.send_to(asker, tag, &total.to_be_bytes()).await.expect("it is sent");
                });
            }
        }
    }

    pub fn three_requests(seed: u64, config: Config) -> f64 {
        let runtime = Runtime::with_seed_and_config(seed, config);
        let node = |name: &str, ip: &str| {
            runtime.create_node().name(name).ip(ip.parse().expect("an address")).build()
        };
        let services = [
            ("orders", "10.0.0.1", "10.0.0.1:1", Some("10.0.0.2:1")),
            ("billing", "10.0.0.2", "10.0.0.2:1", Some("10.0.0.3:1")),
            ("audit", "10.0.0.3", "10.0.0.3:1", None),
        ];
        for (name, ip, address, next) in services {
            node(name, ip).spawn(async move { Service::bind(address).await.serve(next).await });
        }
        let web = node("web", "10.0.0.4");
        runtime.block_on(async move {
            let began = time::Instant::now();
            let asked = web.spawn(async {
                // The services are bound after this.
                time::sleep(std::time::Duration::from_millis(1)).await;
                let web = Arc::new(Service::bind("10.0.0.4:1").await);
                let asks = (1..4).map(|cents| {
                    let web = web.clone();
                    task::spawn(async move { web.ask("10.0.0.1:1", cents).await })
                });
                let mut totals = Vec::new();
                for ask in asks.collect::<Vec<_>>() {
                    totals.push(ask.await.expect("no panic"));
                }
                assert_eq!(totals, [2, 3, 4]);
            });
            asked.await.expect("no panic");
            began.elapsed().as_secs_f64()
        })
    }
}

//! Mistakes of services whose handlers take time: timeouts, holds and leases that expire. Messages that are late on that scale reveal them,
//! and no order of arrivals alone.

use std::fmt::Write as _;
use std::time::Duration;

use tavrida::handler::State;
use tavrida::message::Failure;
use tavrida::{Client, Proxy};
use tavrida_testkit::explore;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::Sim;

use crate::book::Book;
use crate::{STARTS, service};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What takes time in a handler: a database, a client of another system.
async fn work(millis: u64) {
    tokio::time::sleep(ms(millis)).await;
}

/// Sends casts with an id at these times, from the start of the graph on.
async fn play(sim: &Sim, web: &Client, casts: &[(u64, &str, &str)]) -> Result<(), Failure> {
    let mut at = 0;
    for (time, to, id) in casts {
        sim.advance(ms(time - at)).await;
        at = *time;
        web.to(*to).param("id", *id).cast().await?;
    }
    Ok(())
}

/// Starts these services and a client, sends the casts, and waits for the end.
macro_rules! play {
    ($sim:ident, [$($service:expr),+], $casts:expr) => {{
        let graph = $sim.graph()$(.service($service))+.client("web").start().await;
        play(&$sim, graph.client("web"), &$casts).await?;
        graph.settle().await;
    }};
}

async fn send(proxy: &Proxy, to: &str, id: &str) -> Result<(), Failure> {
    proxy.to(to).param("id", id).cast().await?;
    Ok(())
}

/// Two payments 20 ms apart: none is worked when the other comes.
pub(crate) async fn read_then_write(sim: Sim) -> Result<(), Failure> {
    async fn pay(State(book): State<Book>, _id: String) {
        let balance = book.last("balance").unwrap_or(0);
        work(10).await;
        book.enter("balance", balance + 5);
    }
    let book = Book::new(false);
    play!(sim, [service!(book, "bank", "pay" => ["id"] pay)], [(0, "bank.pay", "a"), (20, "bank.pay", "b")]);
    assert_eq!(book.last("balance"), Some(10), "both payments count");
    Ok(())
}

/// A charge takes 20 ms: after 50 ms without an answer it was not made.
pub(crate) async fn timeout_means_no(sim: Sim) -> Result<(), Failure> {
    async fn charge(State(book): State<Book>, _id: String) {
        work(20).await;
        book.enter("charged", 5);
    }
    async fn order(State(book): State<Book>, proxy: Proxy, id: String) {
        let answer = proxy.to("card.charge").param("id", id).ask().timeout(ms(50)).await;
        if answer.is_err() {
            book.enter("charged", 5);
        }
    }
    let book = Book::new(false);
    let card = service!(book, "card", "charge" => ["id"] charge);
    let shop = service!(book, "shop", "order" => ["id"] order);
    play!(sim, [card, shop], [(0, "shop.order", "a")]);
    assert_eq!(book.sum("charged"), 5, "an order is charged once");
    Ok(())
}

/// A seat is held for 500 ms; a payment takes 50.
pub(crate) async fn paid_while_held(sim: Sim) -> Result<(), Failure> {
    async fn hold(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        if book.last("held") == Some(1) {
            return Ok(());
        }
        book.enter("held", 1);
        send(&proxy, "card.pay", &id).await?;
        tavrida::task::spawn(async move {
            work(500).await;
            if !book.is_claimed(&id) {
                book.enter("held", 0);
            }
        });
        Ok(())
    }
    async fn buy(State(book): State<Book>, id: String) {
        book.claim(&id);
        book.enter("sold", 1);
    }
    async fn pay(proxy: Proxy, id: String) -> Result<(), Failure> {
        work(50).await;
        send(&proxy, "seats.buy", &id).await
    }
    let book = Book::new(false);
    let seats = service!(book, "seats", "hold" => ["id"] hold, "buy" => ["id"] buy);
    let card = service!(book, "card", "pay" => ["id"] pay);
    play!(sim, [seats, card], [(0, "seats.hold", "ada"), (600, "seats.hold", "bob")]);
    assert_eq!(book.sum("sold"), 1, "a seat is sold once");
    Ok(())
}

/// A lease of 1 s is renewed after 700 ms; who has none leads no more, and who has one does not look.
pub(crate) async fn lease_renewed_in_time(sim: Sim) -> Result<(), Failure> {
    async fn renew(State(book): State<Book>, id: String) {
        let owner = book.last("owner");
        let is_own = owner == Some(1) && id == "one" || owner == Some(2) && id == "two";
        if owner.unwrap_or(0) != 0 && !is_own {
            return;
        }
        book.enter("owner", if id == "one" { 1 } else { 2 });
        book.enter("renewed", 1);
        let term = book.sum("renewed");
        tavrida::task::spawn(async move {
            work(1000).await;
            if book.sum("renewed") == term {
                book.enter("owner", 0);
            }
        });
    }
    let book = Book::new(false);
    let leases = service!(book, "leases", "renew" => ["id"] renew);
    let casts = [
        (0, "leases.renew", "one"),
        (700, "leases.renew", "one"),
        (1050, "other.tries", "two"),
        (1400, "leases.renew", "one"),
    ];
    async fn tries(proxy: Proxy, id: String) -> Result<(), Failure> {
        send(&proxy, "leases.renew", &id).await
    }
    let other = service!(book, "other", "tries" => ["id"] tries);
    play!(sim, [leases, other], casts);
    assert_eq!(book.sum("renewed"), 3, "who renews in time stays the leader");
    Ok(())
}

/// One mail once nothing was typed for 100 ms; a key comes every 50.
pub(crate) async fn quiet_for_a_while(sim: Sim) -> Result<(), Failure> {
    async fn key(State(book): State<Book>, _id: String) {
        book.enter("keys", 1);
        let keys = book.sum("keys");
        tavrida::task::spawn(async move {
            work(100).await;
            if book.sum("keys") == keys {
                book.enter("mails", 1);
            }
        });
    }
    let book = Book::new(false);
    let editor = service!(book, "editor", "key" => ["id"] key);
    play!(sim, [editor], [(0, "editor.key", "a"), (50, "editor.key", "b"), (100, "editor.key", "c")]);
    assert_eq!(book.sum("mails"), 1, "one text is one mail");
    Ok(())
}

/// A job that is not reported done within 200 ms is given to another worker; it takes 30.
pub(crate) async fn given_again(sim: Sim) -> Result<(), Failure> {
    async fn begin(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        send(&proxy, "worker.run", &id).await?;
        work(200).await;
        if !book.is_claimed(&id) {
            send(&proxy, "worker.run", &id).await?;
        }
        Ok(())
    }
    async fn run(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        work(30).await;
        book.enter("run", 1);
        send(&proxy, "jobs.done", &id).await
    }
    async fn done(State(book): State<Book>, id: String) {
        book.claim(&id);
    }
    let book = Book::new(false);
    let jobs = service!(book, "jobs", "begin" => ["id"] begin, "done" => ["id"] done);
    let worker = service!(book, "worker", "run" => ["id"] run);
    play!(sim, [jobs, worker], [(0, "jobs.begin", "a")]);
    assert_eq!(book.sum("run"), 1, "a job is run once");
    Ok(())
}

/// A price is loaded in 30 ms and cached; a change at 45 ms clears the cache.
pub(crate) async fn loaded_while_cleared(sim: Sim) -> Result<(), Failure> {
    async fn quote(State(book): State<Book>, _id: String) {
        if book.last("cached").unwrap_or(0) == 0 {
            let price = book.last("price").unwrap_or(1);
            work(30).await;
            book.enter("cached", price);
        }
    }
    async fn clear(State(book): State<Book>, _id: String) {
        book.enter("cached", 0);
    }
    async fn change(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        book.enter("price", 2);
        send(&proxy, "cache.clear", &id).await
    }
    let book = Book::new(false);
    let prices = service!(book, "prices", "quote" => ["id"] quote);
    let cache = service!(book, "cache", "clear" => ["id"] clear);
    let office = service!(book, "office", "change" => ["id"] change);
    let casts = [(0, "prices.quote", "a"), (45, "office.change", "a")];
    play!(sim, [prices, cache, office], casts);
    assert_ne!(book.last("cached"), Some(1), "no price is kept that has changed");
    Ok(())
}

/// A cancel comes 100 ms after its order, which takes 5 ms to a shop and 20 there.
pub(crate) async fn cancelled_before_it_is_there(sim: Sim) -> Result<(), Failure> {
    async fn order(proxy: Proxy, id: String) -> Result<(), Failure> {
        work(5).await;
        send(&proxy, "shop.create", &id).await
    }
    async fn create(State(book): State<Book>, _id: String) {
        work(20).await;
        book.enter("open", 1);
    }
    async fn cancel(State(book): State<Book>, _id: String) {
        if book.sum("open") > 0 {
            book.enter("open", -1);
        }
    }
    let book = Book::new(false);
    let web = service!(book, "orders", "order" => ["id"] order);
    let shop = service!(book, "shop", "create" => ["id"] create, "cancel" => ["id"] cancel);
    play!(sim, [web, shop], [(0, "orders.order", "a"), (100, "shop.cancel", "a")]);
    assert_eq!(book.sum("open"), 0, "what is cancelled stays cancelled");
    Ok(())
}

/// A node beats every 100 ms; without a beat for 300 ms its work goes to another one.
pub(crate) async fn silent_is_dead(sim: Sim) -> Result<(), Failure> {
    async fn beat(State(book): State<Book>, proxy: Proxy, id: String) {
        book.enter("beats", 1);
        let beats = book.sum("beats");
        tavrida::task::spawn(async move {
            work(300).await;
            // The last beat says that the work is done.
            if book.sum("beats") == beats && beats < 5 {
                let _ = send(&proxy, "spare.run", &id).await;
            }
        });
    }
    async fn run(State(book): State<Book>, _id: String) {
        book.enter("taken over", 1);
    }
    let book = Book::new(false);
    let monitor = service!(book, "monitor", "beat" => ["id"] beat);
    let spare = service!(book, "spare", "run" => ["id"] run);
    let casts = [0, 100, 200, 300, 400].map(|at| (at, "monitor.beat", "node"));
    play!(sim, [monitor, spare], casts);
    assert_eq!(book.sum("taken over"), 0, "a node that works is not replaced");
    Ok(())
}

/// An auction ends after 2 s; a bid after 1.5 s is in time.
pub(crate) async fn bid_in_time(sim: Sim) -> Result<(), Failure> {
    async fn open(State(book): State<Book>, _id: String) {
        tavrida::task::spawn(async move {
            work(2000).await;
            book.claim("over");
        });
    }
    async fn bid(State(book): State<Book>, _id: String) {
        work(50).await;
        book.enter(if book.is_claimed("over") { "refused" } else { "taken" }, 1);
    }
    let book = Book::new(false);
    let auction = service!(book, "auction", "open" => ["id"] open, "bid" => ["id"] bid);
    play!(sim, [auction], [(0, "auction.open", "a"), (1500, "auction.bid", "a")]);
    assert_eq!(book.sum("taken"), 1, "a bid that is sent in time counts");
    Ok(())
}

/// A mistake, and the scenario that has it.
type Mistake = (&'static str, fn(Sim) -> crate::Playing);

const MISTAKES: [Mistake; 10] = [
    ("read, then written", |sim| Box::pin(read_then_write(sim))),
    ("no answer means no", |sim| Box::pin(timeout_means_no(sim))),
    ("paid while held", |sim| Box::pin(paid_while_held(sim))),
    ("renewed in time", |sim| Box::pin(lease_renewed_in_time(sim))),
    ("quiet for a while", |sim| Box::pin(quiet_for_a_while(sim))),
    ("given again", |sim| Box::pin(given_again(sim))),
    ("loaded while cleared", |sim| Box::pin(loaded_while_cleared(sim))),
    ("cancelled too early", |sim| Box::pin(cancelled_before_it_is_there(sim))),
    ("silent is dead", |sim| Box::pin(silent_is_dead(sim))),
    ("a bid in time", |sim| Box::pin(bid_in_time(sim))),
];

/// The policies that one who knows the mistake would choose from.
fn chosen() -> Vec<Policy> {
    let delays = [(25, 100), (25, 1000), (50, 10_000)];
    let delay = |(percent, max)| Policy::Delay { percent, max: ms(max) };
    [Policy::Random, Policy::Pct { depth: 3 }].into_iter().chain(delays.map(delay)).collect()
}

/// Returns how many of these schedules fail.
fn failed(play: fn(Sim) -> crate::Playing, policy: Policy, schedules: u64) -> u64 {
    let search = explore(play).schedules(schedules).policy(policy).keep_going().shrink_within(0);
    search.without_environment().run().failed()
}

#[test]
#[ignore = "it measures"]
fn a_survey_of_the_mistakes_of_time() {
    const SCHEDULES: u64 = 600;
    let mut table = String::from("of 600 schedules fail   by the best policy, by the portfolio\n");
    for (mistake, play) in MISTAKES {
        let best = chosen().into_iter().map(|policy| (failed(play, policy, SCHEDULES), policy));
        let (most, best) = best.max_by_key(|(failed, _)| *failed).expect("there are policies");
        let found = failed(play, Policy::Portfolio, SCHEDULES);
        writeln!(table, "{mistake:<24}{most:<6}{found:<6}{best}").expect("text has room");
        assert!(found > 0, "{mistake}: not found");
    }
    eprintln!("{table}");
}

#[test]
fn a_thousand_schedules_find_each_mistake_of_time_from_each_start() {
    for (mistake, play) in MISTAKES {
        for start in STARTS {
            let report = explore(play).schedules(1000).seed(start).without_environment().run();
            let failure =
                report.failure().unwrap_or_else(|| panic!("{mistake}: not found from seed {start}"));
            assert!(failure.schedule.len() <= 2, "{mistake}, seed {start}: {}", failure.schedule);
        }
    }
}

#[test]
fn in_order_and_in_time_no_mistake_of_time_shows() {
    for (mistake, play) in MISTAKES {
        let first = explore(play).schedules(1).without_environment().run();
        assert!(first.is_ok(), "{mistake}: {first}");
    }
}

//! [`Store`]: a stand-in for a database with transactions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Sim, yield_point};
use crate::random::{hash, join};
use crate::trace::What;

impl Sim {
    /// Returns an empty [`Store`]: a stand-in for a database of services. The name tells it from others in reports.
    pub fn store<V: Clone + Send + Sync + 'static>(&self, name: &str) -> Store<V> {
        Store {
            sim: self.clone(),
            name: name.into(),
            subject: join(hash(b"store"), hash(name.as_bytes())),
            takes: Duration::ZERO,
            rows: Arc::default(),
        }
    }
}

/// A stand-in for a database: one table of values by key, with serializable transactions. Clones are the same table. It outlives the
/// processes of the run, and what was not committed ends with them.
///
/// Each operation begins with a [yield point](crate::yield_point), and each that writes also ends with one: other handlers and processes come
/// in between, and crashes of the process come before the write and after it. Reads and writes are separate operations, unless they are in
/// one [transaction](Store::begin).
///
/// ```
/// use tavrida::prelude::*;
/// use tavrida_testkit::exhaustive::exhaustive;
/// use tavrida_testkit::sim::{Sim, Store};
///
/// struct Office(Store<u32>);
///
/// #[tavrida::service("office")]
/// impl Office {
///     #[rpc]
///     async fn sell(&self, correct: bool) -> Result<()> {
///         if !correct {
///             // Two handlers that read the same number sell one ticket twice.
///             let sold = self.0.get("sold").await.unwrap_or_default();
///             self.0.put("sold", sold + 1).await;
///             return Ok(());
///         }
///         loop {
///             let mut sale = self.0.begin().await;
///             let sold = sale.get("sold").await.unwrap_or_default();
///             sale.put("sold", sold + 1);
///             if sale.commit().await.is_ok() {
///                 return Ok(());
///             }
///         }
///     }
/// }
///
/// async fn two_buyers(sim: Sim, correct: bool) -> Result<()> {
///     let store = sim.store("tickets");
///     let office = { let store = store.clone(); move || Office(store.clone()).into_service() };
///     let graph = sim.graph().service(office).client("web").start().await;
///     for _ in 0..2 {
///         graph.client("web").to("office.sell").param("correct", correct).cast().await?;
///     }
///     graph.settle().await;
///     assert_eq!(store.rows().get("sold"), Some(&2));
///     Ok(())
/// }
///
/// exhaustive(|sim| two_buyers(sim, true)).run().assert_ok();
/// assert!(!exhaustive(|sim| two_buyers(sim, false)).run().is_ok());
/// ```
#[derive(Clone)]
pub struct Store<V> {
    sim: Sim,
    name: Arc<str>,
    /// What its operations touch, for an exhaustive search.
    subject: u64,
    takes: Duration,
    rows: Arc<Mutex<Table<V>>>,
}

/// A committed state, and when its rows changed.
struct Table<V> {
    current: Arc<BTreeMap<String, V>>,
    /// For each key that was ever written, the number of the commit that did it last.
    changed: BTreeMap<String, u64>,
    commits: u64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { current: Arc::default(), changed: BTreeMap::new(), commits: 0 }
    }
}

impl<V: Clone + Send + Sync + 'static> Store<V> {
    /// Sets how much virtual time each operation takes. The default is none, but for what a run with delays draws.
    #[must_use]
    pub fn taking(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// Returns the value of a key.
    pub async fn get(&self, key: &str) -> Option<V> {
        self.reach().await;
        self.rows.lock().current.get(key).cloned()
    }

    /// Sets the value of a key.
    pub async fn put(&self, key: &str, value: V) {
        self.write(key, |row| *row = Some(value)).await;
    }

    /// Sets the value of a key that has none. Returns whether it had none, as a unique index tells.
    pub async fn insert(&self, key: &str, value: V) -> bool {
        let mut is_new = false;
        self.write(key, |row| {
            is_new = row.is_none();
            row.get_or_insert(value);
        })
        .await;
        is_new
    }

    /// Removes a key. Returns its value.
    pub async fn remove(&self, key: &str) -> Option<V> {
        let mut removed = None;
        self.write(key, |row| removed = row.take()).await;
        removed
    }

    /// Reads and writes the value of a key in one operation, as `UPDATE .. SET n = n + 1` does. Returns what `update` returns.
    pub async fn update<T>(&self, key: &str, update: impl FnOnce(&mut Option<V>) -> T) -> T {
        let mut result = None;
        self.write(key, |row| result = Some(update(row))).await;
        result.expect("it was updated")
    }

    /// Begins a transaction, which sees the rows as they are now.
    pub async fn begin(&self) -> Transaction<V> {
        self.reach().await;
        let rows = self.rows.lock();
        Transaction {
            store: self.clone(),
            seen: rows.current.clone(),
            since: rows.commits,
            read: Vec::new(),
            written: BTreeMap::new(),
        }
    }

    /// Returns all rows as they are now, for the assertions of a test: it is no operation of the database.
    pub fn rows(&self) -> Arc<BTreeMap<String, V>> {
        self.rows.lock().current.clone()
    }

    async fn write(&self, key: &str, change: impl FnOnce(&mut Option<V>)) {
        self.reach().await;
        let mut row = self.rows.lock().current.get(key).cloned();
        // Without the lock, since it is code of the caller; nothing comes in between, since nothing waits.
        change(&mut row);
        self.rows.lock().commit(BTreeMap::from([(key.to_owned(), row)]));
        self.wrote(&[key]).await;
    }

    /// Lets others go first, and takes its time.
    async fn reach(&self) {
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        yield_point::at(self.subject).await;
    }

    /// Records a write, and lets others come before its caller knows of it.
    async fn wrote(&self, keys: &[&str]) {
        self.sim.tell_of_work(What::Note(format!("{}: {} written", self.name, keys.join(", "))));
        yield_point::at(self.subject).await;
    }
}

impl<V: Clone> Table<V> {
    fn commit(&mut self, written: BTreeMap<String, Option<V>>) {
        self.commits += 1;
        let current = Arc::make_mut(&mut self.current);
        for (key, row) in written {
            match row {
                Some(value) => drop(current.insert(key.clone(), value)),
                None => drop(current.remove(&key)),
            }
            self.changed.insert(key, self.commits);
        }
    }
}

/// A transaction of a [`Store`]. Dropped without a commit, it has changed nothing.
pub struct Transaction<V> {
    store: Store<V>,
    /// The rows when it began.
    seen: Arc<BTreeMap<String, V>>,
    /// How many commits there were when it began.
    since: u64,
    read: Vec<String>,
    written: BTreeMap<String, Option<V>>,
}

/// A transaction that writes was not committed: another one has changed since what it read or writes. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key that both touched.
    pub key: String,
}

impl<V: Clone + Send + Sync + 'static> Transaction<V> {
    /// Returns the value of a key when the transaction began, or what it has written since.
    pub async fn get(&mut self, key: &str) -> Option<V> {
        self.store.reach().await;
        if let Some(written) = self.written.get(key) {
            return written.clone();
        }
        self.read.push(key.to_owned());
        self.seen.get(key).cloned()
    }

    /// Sets the value of a key when the transaction is committed.
    pub fn put(&mut self, key: &str, value: V) {
        self.written.insert(key.to_owned(), Some(value));
    }

    /// Removes a key when the transaction is committed.
    pub fn remove(&mut self, key: &str) {
        self.written.insert(key.to_owned(), None);
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    ///
    /// [`Conflict`]: begin again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, or crashed, it was committed or not.
    pub async fn commit(self) -> Result<(), Conflict> {
        let Self { store, since, read, written, .. } = self;
        store.reach().await;
        if written.is_empty() {
            // What it has read was so when it began.
            return Ok(());
        }
        let keys: Vec<String> = written.keys().cloned().collect();
        {
            let mut rows = store.rows.lock();
            let mut touched = read.iter().chain(&keys);
            let is_newer = |key: &&String| rows.changed.get(*key).is_some_and(|commit| *commit > since);
            if let Some(key) = touched.find(is_newer) {
                return Err(Conflict { key: key.clone() });
            }
            rows.commit(written);
        }
        store.wrote(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
        Ok(())
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another transaction has changed '{}'", self.key)
    }
}

impl std::error::Error for Conflict {}

impl<V> fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<V> fmt::Debug for Transaction<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<&String> = self.written.keys().collect();
        f.debug_struct("Transaction")
            .field("read", &self.read)
            .field("written", &written)
            .finish_non_exhaustive()
    }
}

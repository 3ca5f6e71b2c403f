//! What happened, line by line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::prelude::{Failure, Result};
use tokio::sync::Notify;

/// Prints what happens, line by line, and records it for the tests. Clones record into the same story.
#[derive(Clone, Default)]
pub struct Story {
    lines: Arc<Mutex<Vec<String>>>,
    told: Arc<Notify>,
}

impl Story {
    /// Returns an empty story.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records and prints one line.
    #[expect(clippy::print_stdout, reason = "an example shows what happens")]
    pub fn tell(&self, line: impl Into<String>) {
        let line = line.into();
        println!("{line}");
        self.lines.lock().expect("nobody panics while telling").push(line);
        self.told.notify_waiters();
    }

    /// Returns the lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics while telling").clone()
    }

    /// Waits until a line contains this text.
    ///
    /// # Errors
    ///
    /// No such line within ten seconds.
    pub async fn until(&self, text: &str) -> Result<()> {
        let told = async {
            loop {
                let next = self.told.notified();
                tokio::pin!(next);
                next.as_mut().enable();
                if self.lines().iter().any(|line| line.contains(text)) {
                    return;
                }
                next.await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), told).await;
        waited.map_err(|_| {
            let text = format!("nobody told '{text}' within ten seconds; told was: {:#?}", self.lines());
            Failure::new("example.Story", text)
        })
    }
}

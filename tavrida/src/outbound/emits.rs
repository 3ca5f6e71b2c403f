//! [`Emits`]: the topics that a service or client says it publishes.

use parking_lot::Mutex;

use crate::discovery::{Discovery, Role};
use crate::entry_point::{EntryPoint, EntryPointError, TopicPattern};
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::show::shown;

/// The topics that a service or client declares to publish, so that a missing exchange is found before the first of them is due.
#[derive(Default)]
pub(crate) struct Emits {
    topics: Vec<TopicPattern>,
    /// The undeclared topics that were warned of. `None` where nothing is warned of: for clients, and for services whose exchange is known
    /// by name.
    warned: Option<Mutex<Vec<EntryPoint>>>,
}

/// How many undeclared topics are warned of: a service that makes topics up at run time does not fill the log.
const WARNED: usize = 16;

impl Emits {
    /// Adds a topic or pattern; a name without a dot is an event of `own`.
    pub(crate) fn add(&mut self, own: &EntryPoint, event: &str) -> Result<(), EntryPointError> {
        let topics = match event.contains('.') {
            true => event.parse()?,
            false => TopicPattern::new(own.service().unwrap_or_default(), event)?,
        };
        self.add_topics(topics);
        Ok(())
    }

    pub(crate) fn add_topics(&mut self, topics: TopicPattern) {
        if let Err(place) = self.topics.binary_search(&topics) {
            self.topics.insert(place, topics);
        }
    }

    /// Returns them, sorted.
    pub(crate) fn topics(&self) -> &[TopicPattern] {
        &self.topics
    }

    /// Returns the exchanges that they are published to.
    ///
    /// # Errors
    ///
    /// A discovery does not know one. The error names `who`, the topic, and what to add.
    pub(crate) fn exchanges(
        &self,
        who: &dyn std::fmt::Display,
        discovery: &dyn Discovery,
    ) -> Result<Vec<ShortString>, Error> {
        let exchange = |topics: &TopicPattern| {
            let publisher = topics.publisher();
            discovery.find(Role::LocalPublisher, publisher).map_err(|error| {
                let text = format!(
                    "{who} emits {topics}: {error}; add `.local_publisher(\"{publisher}\", \"its exchange\")` to the registry, or to the \
                     section [{publisher}] of the `.ds` file the key `notifications`"
                );
                Error::new(Kind::UnableToDiscover, text)
            })
        };
        self.topics.iter().map(exchange).collect()
    }

    /// Warns of undeclared topics, each once.
    pub(crate) fn warning(self) -> Self {
        Self { warned: Some(Mutex::default()), ..self }
    }

    /// Looks at a topic that is about to be published.
    pub(crate) fn notice(&self, topic: &EntryPoint) {
        let Some(warned) = &self.warned else { return };
        if self.topics.iter().any(|declared| declared.matches(topic)) {
            return;
        }
        let mut warned = warned.lock();
        if warned.len() < WARNED && !warned.contains(topic) {
            warned.push(topic.clone());
            tracing::warn!(
                topic = %shown(topic),
                "an undeclared event is published: add `.publishes(\"{}\")`, or `.emits::<E>()` of its type, and a missing exchange is \
                 found when the server is built",
                shown(topic)
            );
        }
    }
}

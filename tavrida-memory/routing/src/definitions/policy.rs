//! [`Policy`]: arguments that an operator adds to exchanges and queues by their names.

use fancy_regex::{Regex, RegexBuilder};
use tavrida_behaviour::Behaviour;

use crate::definitions::error::DefinitionsError;
use crate::definitions::json::At;
use crate::topology::{QueueType, Topology, is_limit, limit_wins};
use crate::value::{Table, Value};

/// The maximum number of steps of a pattern on one name: a name has 255 bytes, a reasonable pattern needs some hundreds.
const STEPS: usize = 200_000;

/// The maximum number of steps of all patterns on all names: some seconds.
const ALL_STEPS: usize = 1_000_000_000;

/// The least number of steps that a pattern on a name needs to be useful.
const FEW_STEPS: usize = 100;

/// The maximum size of a compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The keys whose values routing and queues depend on; the others are kept.
const TEXTS: [&str; 5] = [
    "alternate-exchange",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "overflow",
];

/// A policy, or an operator policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    path: String,
    pattern: Regex,
    apply_to: ApplyTo,
    priority: f64,
    definition: Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApplyTo {
    All,
    Exchanges,
    Queues(Option<QueueType>),
}

/// The targets of a policy.
#[derive(Clone, Copy)]
enum Target {
    Exchange,
    Queue(QueueType),
}

impl Policy {
    /// Reads a policy from the object with `pattern`, `apply-to`, `definition` and `priority`.
    pub(crate) fn read(at: &At<'_>, behaviour: &Behaviour, steps: usize) -> Result<Self, DefinitionsError> {
        let pattern = at.text("pattern")?;
        let mut builder = RegexBuilder::new(pattern);
        let builder = builder.backtrack_limit(steps).delegate_size_limit(PATTERN_SIZE);
        let compiled = builder.build().map_err(|error| {
            let problem = format!("found {pattern:?}, expected a regular expression: {error}");
            DefinitionsError::new(format!("{}.pattern", at.path), problem)
        })?;
        let priority = match at.member("priority")? {
            None => 0.0,
            Some(member) => member.json.as_f64().ok_or_else(|| member.wrong("a number"))?,
        };
        if at.member("definition")?.is_none() {
            return Err(at.wrong("a member \"definition\""));
        }
        let definition = at.table("definition")?;
        for (name, value) in &definition {
            let place =
                || At { path: format!("{}.definition.{name}", at.path), json: &at.json["definition"][name] };
            if TEXTS.contains(&name.as_str()) && value.as_str().is_none() {
                return Err(place().wrong("text"));
            }
            let least =
                if name == "delivery-limit" && behaviour.negative_limit_is_none { i64::MIN } else { 0 };
            if is_limit(name) && value.as_i64().is_none_or(|limit| limit < least) {
                return Err(place().wrong("an integer that is not negative"));
            }
        }
        Ok(Self { path: at.path.clone(), pattern: compiled, apply_to: apply_to(at)?, priority, definition })
    }

    fn applies(&self, name: &str, target: Target, behaviour: &Behaviour) -> Result<bool, DefinitionsError> {
        let suits =
            |kind: QueueType| self.definition.iter().all(|(name, _)| kind.has_setting(name, behaviour));
        let fits = match (self.apply_to, target) {
            (ApplyTo::All | ApplyTo::Exchanges, Target::Exchange) => true,
            (ApplyTo::All | ApplyTo::Queues(None), Target::Queue(kind)) => suits(kind),
            (ApplyTo::Queues(Some(wanted)), Target::Queue(kind)) => wanted == kind && suits(kind),
            _ => false,
        };
        if !fits {
            return Ok(false);
        }
        self.pattern.is_match(name).map_err(|error| {
            let problem = format!("the pattern does not come to an end on the name '{name}': {error}");
            DefinitionsError::new(format!("{}.pattern", self.path), problem)
        })
    }
}

/// Returns how many steps each pattern may make on each name.
pub(crate) fn steps(root: &At<'_>) -> Result<usize, DefinitionsError> {
    let count = |name| root.items(name).map(|items| items.len());
    let (policies, names) =
        (count("policies")? + count("parameters")?, count("exchanges")? + count("queues")?);
    let steps = ALL_STEPS / (policies * names).max(1);
    if steps >= FEW_STEPS {
        return Ok(steps.min(STEPS));
    }
    let problem = format!("found {policies} policies and parameters for {names} names, expected fewer");
    Err(DefinitionsError::new("$.policies", problem))
}

fn apply_to(at: &At<'_>) -> Result<ApplyTo, DefinitionsError> {
    let Some(member) = at.member("apply-to")? else { return Ok(ApplyTo::All) };
    Ok(match member.json.as_str() {
        Some("all") => ApplyTo::All,
        Some("exchanges") => ApplyTo::Exchanges,
        Some("queues") => ApplyTo::Queues(None),
        Some("classic_queues") => ApplyTo::Queues(Some(QueueType::Classic)),
        Some("quorum_queues") => ApplyTo::Queues(Some(QueueType::Quorum)),
        Some("streams") => ApplyTo::Queues(Some(QueueType::Stream)),
        _ => return Err(member.wrong("all, exchanges, queues, classic_queues, quorum_queues or streams")),
    })
}

/// The policies of one virtual host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    pub(crate) users: Vec<Policy>,
    pub(crate) operators: Vec<Policy>,
}

impl Policies {
    /// Sets what these policies add to a topology.
    pub(crate) fn apply(&self, topology: &mut Topology) -> Result<(), DefinitionsError> {
        let behaviour = *topology.behaviour();
        for exchange in topology.exchanges_mut() {
            exchange.set_policy(self.of(&exchange.name, Target::Exchange, &behaviour)?);
        }
        for queue in topology.queues_mut() {
            let definition = self.of(&queue.name, Target::Queue(queue.queue_type()), &behaviour)?;
            queue.set_policy(definition, &behaviour);
        }
        Ok(())
    }

    /// Returns the effect of one policy and one operator policy, those of the highest priority. If both set a limit, the smaller one holds;
    /// otherwise the operator policy wins.
    fn of(&self, name: &str, target: Target, behaviour: &Behaviour) -> Result<Table, DefinitionsError> {
        let mut merged = best(&self.users, name, target, behaviour)?;
        for (key, value) in best(&self.operators, name, target, behaviour)? {
            let wins = |known: &Value| !is_limit(&key) || limit_wins(&key, &value, known, behaviour);
            if merged.get(&key).is_none_or(wins) {
                merged.insert(key, value);
            }
        }
        Ok(merged)
    }
}

/// Of several of the same priority a node takes any: here it is the first.
fn best(
    policies: &[Policy],
    name: &str,
    target: Target,
    behaviour: &Behaviour,
) -> Result<Table, DefinitionsError> {
    let mut best: Option<&Policy> = None;
    for policy in policies {
        if best.is_none_or(|best| policy.priority > best.priority)
            && policy.applies(name, target, behaviour)?
        {
            best = Some(policy);
        }
    }
    Ok(best.map(|policy| policy.definition.clone()).unwrap_or_default())
}

//! The policies, and what they set for queues and exchanges.

use tavrida::field::{ShortString, Table};

use super::Topology;
use super::policy::{ApplyTo, Policy};
use crate::core::keys::QueueKey;
use crate::core::node::Node;
use crate::core::queue::settings::{QueueKind, Settings};

impl Topology {
    /// Adds a policy, or replaces the one of its name.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.clear_policy(&policy.name);
        self.policies.push(policy);
        self.policies.sort_by_key(|policy| std::cmp::Reverse(policy.priority));
    }

    pub(crate) fn clear_policy(&mut self, name: &str) {
        self.policies.retain(|known| known.name != name);
    }

    /// Returns the policy that applies to a queue.
    pub(crate) fn policy_of_queue(&self, name: &str, kind: QueueKind) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.suits(name, kind))
    }

    /// Returns the policy that applies to an exchange.
    pub(crate) fn policy_of_exchange(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.apply_to != ApplyTo::Queues && policy.matches(name))
    }

    /// Returns the settings of a queue: by its arguments, and by the policy that applies to it.
    pub(crate) fn settings_of(
        &self,
        node: &Node,
        name: &str,
        kind: QueueKind,
        arguments: &Table,
    ) -> Settings {
        match self.policy_of_queue(name, kind) {
            Some(policy) => {
                let merged = policy.definition.merged(arguments, kind, &node.behaviour);
                Settings::of(kind, &merged, &node.behaviour)
            }
            None => Settings::of(kind, arguments, &node.behaviour),
        }
    }

    /// Returns the alternate exchange that a policy gives an exchange.
    pub(crate) fn alternate_by_policy(&self, name: &str) -> Option<ShortString> {
        self.policy_of_exchange(name)?.definition.alternate_exchange.clone()
    }

    /// Gives all exchanges the alternate exchanges that the policies set.
    pub(crate) fn apply_policies_to_exchanges(&mut self) {
        for exchange in self.exchanges.keys().collect::<Vec<_>>() {
            let alternate = self.alternate_by_policy(&self.exchanges[exchange].name);
            self.exchanges[exchange].alternate_by_policy = alternate;
        }
    }

    /// Returns the settings of a queue, if the policies change them.
    pub(crate) fn changed_settings(&self, node: &Node, queue: QueueKey) -> Option<Settings> {
        let state = &self.queues[queue];
        let settings = self.settings_of(node, &state.name, state.settings.kind, &state.arguments);
        (settings != state.settings).then_some(settings)
    }
}

//! Chains of calls through a graph of services.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::services::{Service, Services, split};

/// Chains of up to `longest` calls, each made by the service that answers the one before: pairs of the caller and the method, such as
/// `("orders", "billing.charge")`. They contain only calls to services of the graph, and shrink to shorter chains.
///
/// ```
/// use proptest::prelude::*;
/// use tavrida_routing::{Service, Services, strategy};
///
/// let services = Services::new()
///     .service(Service::new("web").asks("orders.create"))
///     .service(Service::new("orders").answers("create").calls("billing.charge"))
///     .service(Service::new("billing").answers("charge"));
/// proptest!(|(chain in strategy::call_chain(&services, 5))| {
///     prop_assert!(chain.len() <= 2);
/// });
/// ```
pub fn call_chain(
    services: &Services,
    longest: usize,
) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let services = Arc::new(services.clone());
    let steps = prop::collection::vec(any::<Index>(), 1..=longest.max(1));
    (any::<Index>(), steps).prop_map(move |(start, steps)| walk(&services, start, &steps))
}

fn walk(services: &Services, start: Index, steps: &[Index]) -> Vec<(String, String)> {
    let callers: Vec<&Service> =
        services.iter().filter(|service| known_calls(services, service).next().is_some()).collect();
    let mut chain = Vec::new();
    if callers.is_empty() {
        return chain;
    }
    let mut caller = *start.get(&callers);
    for step in steps {
        let calls: Vec<&str> = known_calls(services, caller).collect();
        if calls.is_empty() {
            break;
        }
        let method = *step.get(&calls);
        chain.push((caller.name.clone(), method.to_owned()));
        caller = services.get(split(method).0).expect("only calls to services of the graph are taken");
    }
    chain
}

fn known_calls<'s>(services: &'s Services, service: &'s Service) -> impl Iterator<Item = &'s str> {
    service.targets().filter(|target| services.get(split(target).0).is_some())
}

//! The order of headers.

use tavrida::field::Table;

pub(crate) fn is_sorted(table: &Table) -> bool {
    table.iter().map(|(name, _)| name).is_sorted()
}

/// Sorts headers by name, as RabbitMQ does.
pub(crate) fn sorted(table: Table) -> Table {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().collect()
}

//! The ledger against a model of the broker and of lapin.

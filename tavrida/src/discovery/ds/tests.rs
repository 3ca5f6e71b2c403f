//! Reading `.ds` files into a registry, and the errors.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::discovery::{Discovery, Registry, Role};
use crate::error::Error;

/// The file of the original's documentation.
const SERVICES: &str = "
[service1]
exchange=service1_exchange
notifications=service1_notifications

[service2]
exchange=service2_exchange
notifications=service2_notifications

[service3]
exchange=service3_exchange
notifications=service3_notifications

[service4]
exchange=service4_exchange
";

/// Reads a real file, named `services.ds`, in a separate directory.
fn from_file(text: &str, service: &str, subscriptions: &[&str]) -> Result<Registry, Error> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("services.ds");
    fs::write(&path, text).expect("a new file");
    Registry::from_ds_file(path, service, subscriptions)
}

/// Returns the code, and the text after the file's name.
fn refusal(text: &str, service: &str, subscriptions: &[&str]) -> (i64, String) {
    let error = from_file(text, service, subscriptions).expect_err("refused");
    let text = error.to_string();
    let (_, behind) = text.split_once("services.ds: ").expect("the file is named");
    (error.code(), behind.to_owned())
}

fn known(registry: &Registry, role: Role) -> Vec<String> {
    registry.known(role).iter().map(|name| format!("{name}={}", registry.find(role, name).unwrap())).collect()
}

#[test]
fn each_other_section_is_a_remote_service_and_only_subscriptions_are_publishers() {
    let registry = from_file(SERVICES, "service1", &["service3"]).unwrap();
    assert_eq!(
        known(&registry, Role::Service),
        ["service2=service2_exchange", "service3=service3_exchange", "service4=service4_exchange"]
    );
    assert_eq!(known(&registry, Role::LocalPublisher), ["service1=service1_notifications"]);
    assert_eq!(known(&registry, Role::Publisher), ["service3=service3_notifications"]);
}

#[test]
fn a_service_without_notifications_is_no_publisher() {
    let registry = from_file(SERVICES, "service4", &[]).unwrap();
    assert_eq!(known(&registry, Role::LocalPublisher), [""; 0]);
    assert_eq!(known(&registry, Role::Publisher), [""; 0]);
    assert_eq!(registry.exchanges().len(), 3);
}

#[test]
fn a_subscription_to_itself_is_ignored() {
    let registry = from_file(SERVICES, "service1", &["service1"]).unwrap();
    assert_eq!(known(&registry, Role::Publisher), [""; 0]);
    assert!(from_file(SERVICES, "service4", &["service4"]).is_ok());
}

#[test]
fn a_service_without_a_section_is_not_registered() {
    let (code, text) = refusal("[b]\nexchange=b\n[a]\nexchange=a", "A", &[]);
    assert_eq!(code, 1026);
    assert_eq!(text, "section [A]: the service itself has no section; sections are: [a], [b]");
}

#[test]
fn defaults_are_no_service() {
    assert_eq!(refusal("[DEFAULT]\nexchange=x\n[a]", "DEFAULT", &[]).0, 1026);
    assert_eq!(known(&from_file("[DEFAULT]\nexchange=x\n[a]", "a", &[]).unwrap(), Role::Service), [""; 0]);
}

#[test]
fn a_subscription_without_a_section_is_not_registered() {
    let (code, text) = refusal(SERVICES, "service1", &["service2", "service5"]);
    assert_eq!(code, 1026);
    assert!(
        text.starts_with("section [service5]: a subscription has no section; sections are: [service1]"),
        "{text}"
    );
}

#[test]
fn a_subscription_to_one_that_does_not_publish_cannot_be_registered() {
    let (code, text) = refusal(SERVICES, "service1", &["service4"]);
    assert_eq!(code, 1030);
    assert_eq!(
        text,
        "section [service4], key 'notifications': it is missing, so that nobody can subscribe to the service"
    );
}

#[test]
fn each_section_needs_an_exchange_the_own_one_too() {
    for service in ["a", "b"] {
        let (code, text) = refusal("[a]\nexchange=a\n[b]\nnotifications=b", service, &[]);
        assert_eq!(code, 1050);
        assert_eq!(
            text,
            "section [b], key 'exchange': it is missing; each section says the exchange of its service"
        );
    }
}

#[test]
fn bad_names_are_refused_with_their_section() {
    let (code, text) = refusal("[a]\nexchange=a\n[b.c]\nexchange=b", "a", &[]);
    assert_eq!((code, text.contains("section [b.c]: its name has a dot")), (1050, true), "{text}");
    let (_, text) = refusal("[a]\nexchange=a\nnotifications=", "a", &[]);
    assert!(
        text.starts_with("section [a], key 'notifications': its exchange is the broker's default one"),
        "{text}"
    );
    let (_, text) = refusal(&format!("[a]\nexchange={}", "x".repeat(256)), "a", &[]);
    assert!(text.starts_with("section [a], key 'exchange': the name \"xxx"), "{text}");
    let (_, text) = refusal("[]\nexchange=b\n[a]\nexchange=a", "a", &[]);
    assert!(text.starts_with("section []: its name is empty"), "{text}");
}

#[test]
fn a_text_that_is_no_ini_names_file_and_line() {
    let (code, text) = refusal("[a]\nexchange=a\n[b\n", "a", &[]);
    assert_eq!((code, text.contains("line 3")), (1050, true), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_reason_is_the_source() {
    let error = Registry::from_ds_file("no/such/services.ds", "a", &[]).unwrap_err();
    assert_eq!(error.code(), 1050);
    assert_eq!(error.to_string(), "no/such/services.ds: it cannot be read");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.unwrap().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_text_in_memory_is_read_alike() {
    let error = Registry::from_ds("[a]", "a", &[]).unwrap_err();
    assert!(error.to_string().starts_with(".ds text: section [a], key 'exchange'"), "{error}");
}

#[test]
fn an_unknown_key_is_a_warning_that_names_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    let registry = tracing::subscriber::with_default(subscriber, || {
        from_file("[a]\nexchange=a\nnotification=n", "a", &[])
    });
    assert_eq!(known(&registry.unwrap(), Role::LocalPublisher), [""; 0]);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for part in ["WARN", "services.ds", "section=\"a\"", "key=\"notification\""] {
        assert!(log.contains(part), "{part} in {log}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

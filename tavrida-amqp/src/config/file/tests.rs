//! Reading configuration files, and their errors.

use std::time::Duration;

use super::*;
use crate::config::{AuthMechanism, Tls};

fn connection(text: &str, variables: &[(&str, &str)]) -> Result<AmqpConfig, ConfigError> {
    ConfigFile::of_text(text).variables(variables.iter().copied()).connection()
}

fn good(text: &str, variables: &[(&str, &str)]) -> AmqpConfig {
    connection(text, variables).unwrap_or_else(|error| panic!("{error}"))
}

fn flaw(text: &str, variables: &[(&str, &str)]) -> String {
    connection(text, variables).expect_err(text).to_string()
}

fn server_flaw(text: &str) -> String {
    ConfigFile::of_text(text).server().map(drop).expect_err(text).to_string()
}

const EVERYTHING: &str = r#"
    [connection]
    host = "rabbit"
    port = 1234
    virtual_host = "a/b"
    username = "user"
    password = "p@ss"
    auth_mechanism = "amqplain"
    channel_max = 9
    frame_max = 8192
    heartbeat = 7
    connect_timeout = 1.5
    connection_attempts = 3
    retry_delay = 0.5
    reconnect_attempts = 5
    locale = "de_DE"
    connection_name = "billing"
    publish_window = 16

    [connection.tls]
    cacertfile = "/dev/null"
    certfile = "/dev/null"
    keyfile = "/dev/null"
    server_name_indication = "inner"
    verify = "verify_peer"
"#;

const EVERYTHING_AS_URI: &str = "amqps://user:p%40ss@rabbit:1234/a%2fb?auth_mechanism=AMQPLAIN&channel_max=9\
    &frame_max=8192&heartbeat=7&connection_timeout=1500&connection_attempts=3&retry_delay=0.5&reconnect_attempts=5\
    &locale=de_DE&connection_name=billing&publish_window=16&cacertfile=/dev/null&certfile=/dev/null&keyfile=/dev/null\
    &server_name_indication=inner&verify=verify_peer";

fn everything_in_code() -> AmqpConfig {
    let tls = Tls::new().ca_file("/dev/null").expect("a file that can be read");
    let tls = tls.identity_files("/dev/null", "/dev/null").expect("files that can be read");
    AmqpConfig::new("rabbit", 1234)
        .virtual_host("a/b")
        .credentials("user", "p@ss")
        .auth_mechanism(AuthMechanism::AmqPlain)
        .channel_max(9)
        .frame_max(8192)
        .heartbeat(7)
        .connect_timeout(Duration::from_millis(1500))
        .connection_attempts(3)
        .retry_delay(Duration::from_millis(500))
        .reconnect_attempts(5)
        .locale("de_DE")
        .connection_name("billing")
        .publish_window(16)
        .tls(tls.server_name("inner"))
}

#[test]
fn code_uri_file_and_environment_come_out_equal() {
    let in_code = everything_in_code();
    assert_eq!(AmqpConfig::from_uri(EVERYTHING_AS_URI), Ok(in_code.clone()));
    assert_eq!(good(EVERYTHING, &[]), in_code);
    assert_eq!(good("", &[("TAVRIDA_CONNECTION__URI", EVERYTHING_AS_URI)]), in_code);
    assert_eq!(good(&format!("[connection]\nuri = \"{EVERYTHING_AS_URI}\""), &[]), in_code);

    let mut variables = Vec::new();
    let mut section = String::new();
    for line in EVERYTHING.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').replace('.', "__");
        } else if let Some((key, value)) = line.split_once(" = ") {
            let name = format!("TAVRIDA_{section}__{key}").to_uppercase();
            variables.push((name, value.trim_matches('"').to_owned()));
        }
    }
    assert_eq!(variables.len(), 21);
    let file = ConfigFile::of_text("").variables(variables);
    assert_eq!(file.connection(), Ok(in_code));
}

#[test]
fn what_is_left_out_has_the_brokers_defaults() {
    assert_eq!(good("", &[]), AmqpConfig::new("localhost", 5672));
    assert_eq!(good("[connection]\nhost = \"a\"", &[]), AmqpConfig::new("a", 5672));
    assert_eq!(good("[connection.tls]", &[]), AmqpConfig::new("localhost", 5671).tls(Tls::new()));
}

#[test]
fn several_hosts_share_the_port_that_is_not_theirs() {
    let text = r#"
        [connection]
        hosts = ["a", "b:7", "[::1]:8"]
        port = 5
    "#;
    let three = AmqpConfig::new("a", 5).or_host("b", 7).or_host("::1", 8);
    assert_eq!(good(text, &[]), three);
    assert_eq!(good("", &[("TAVRIDA_CONNECTION__HOSTS", "a:5, b:7,[::1]:8")]), three);
    assert_eq!(good(text, &[("TAVRIDA_CONNECTION__HOST", "c")]), AmqpConfig::new("c", 5));
}

#[test]
fn a_uri_replaces_what_it_says_and_leaves_alone_what_it_does_not() {
    let text = r#"
        [connection]
        host = "a"
        port = 1
        username = "user"
        password = "secret"
        heartbeat = 10
    "#;
    let moved = good(text, &[("TAVRIDA_CONNECTION__URI", "amqp://b/v?heartbeat=3")]);
    let expected = AmqpConfig::new("b", 5672).virtual_host("v").credentials("user", "secret").heartbeat(3);
    assert_eq!(moved, expected);
    let beside = "[connection]\nuri = \"amqp://b?heartbeat=3\"\nheartbeat = 4";
    assert_eq!(good(beside, &[]), AmqpConfig::new("b", 5672).heartbeat(4));
}

#[test]
fn a_flaw_names_its_key_and_its_line_or_variable() {
    assert_eq!(
        flaw("\n[connection]\nheartbeat = \"soon\"", &[]),
        "text, line 3: connection.heartbeat: a whole number of 16 bits is expected, not a text"
    );
    assert_eq!(
        flaw("[connection]\nport = 70000", &[]),
        "text, line 2: connection.port: a whole number of 16 bits is expected, not 70000"
    );
    assert_eq!(
        flaw("", &[("TAVRIDA_CONNECTION__HEARTBEAT", "soon")]),
        "TAVRIDA_CONNECTION__HEARTBEAT: connection.heartbeat: a whole number of 16 bits is expected, not soon"
    );
    assert_eq!(
        flaw("[connection]\nconnect_timeout = true", &[]),
        "text, line 2: connection.connect_timeout: a number of seconds is expected, such as 0.5, not true or false"
    );
    assert_eq!(
        flaw("[connection]\nuri = \"amqp://a?heartbeat=soon\"", &[]),
        "text, line 2: connection.uri: heartbeat: \"soon\" is not a whole number of 16 bits"
    );
    assert_eq!(
        flaw("", &[("TAVRIDA_CONNECTION__AUTH_MECHANISM", "magic")]),
        "TAVRIDA_CONNECTION__AUTH_MECHANISM: connection.auth_mechanism: \"magic\" is not known; known: plain, amqplain, \
         anonymous, external, rabbit-cr-demo"
    );
    assert!(flaw("[connection]\nhosts = []", &[]).ends_with("connection.hosts: a host is missing"));
    assert!(flaw("[connection]\nhost = \"a\"\nhosts = [\"b\"]", &[]).ends_with("one of the two"));
    assert!(flaw("[connection]\npublish_window = 0", &[]).contains("publish_window: 0 publishes nothing"));
    let both = connection("[connection]\nport = \"x\"", &[]).unwrap_err();
    assert_eq!((both.key(), both.place()), ("connection.port", Some("text, line 2")));
}

#[test]
fn what_is_not_known_is_refused_with_what_is() {
    let error = flaw("[connection]\nhartbeat = 3", &[]);
    assert!(
        error.starts_with(
            "text, line 2: connection.hartbeat: not a key that is known here; known: uri, host, "
        ),
        "{error}"
    );
    assert!(error.contains("heartbeat"), "{error}");
    let error = flaw("[conection]", &[]);
    assert_eq!(
        error,
        "text, line 1: conection: not a section that is known; known: [connection], [connection.tls], [server]"
    );
    assert!(flaw("connection = 3", &[]).contains("a section [connection] is expected"));
    assert!(flaw("[server]\nname = \"x\"", &[]).contains("known: queue, exchange, services, discovery"));
    for misspelt in ["TAVRIDA_CONNECTION_HOST", "TAVRIDA_CONECTION__HOST", "TAVRIDA_CONNECTION__TLS__A__B"] {
        let error = flaw("", &[(misspelt, "x")]);
        assert!(error.starts_with(&format!("{misspelt}: not a variable that is known here")), "{error}");
    }
    let error = flaw("", &[("TAVRIDA_SERVER__QUEU", "x")]);
    assert!(error.starts_with("TAVRIDA_SERVER__QUEU: server.queu: not a key"), "{error}");
    assert_eq!(good("", &[("TAVRIDA_SEED", "7"), ("HOME", "/")]), good("", &[]));
}

#[test]
fn old_names_say_what_became_of_them() {
    let error = flaw("[connection]\nasync_engine = true", &[]);
    assert_eq!(
        error,
        "text, line 2: connection.async_engine: it is gone: there is one engine, and it is asynchronous"
    );
    assert!(flaw("", &[("TAVRIDA_CONNECTION__ASYNC_ENGINE", "true")]).ends_with("it is asynchronous"));
    for (text, now) in [
        ("[connection]\nheartbeat_interval = 10", "heartbeat"),
        ("[connection]\nsocket_timeout = 3.0", "connect_timeout"),
        ("[connection]\nssl = false", "[connection.tls]"),
        ("[connection]\nbackpressure_detection = true", "gone"),
        ("[ssl]\nkeyfile = \"k\"", "[connection.tls]"),
        ("[connection.tls]\nca_certs = \"c\"", "cacertfile"),
        ("[server]\nqueue_name = \"q\"", "queue"),
        ("[server]\nexchange_name = \"e\"", "exchange"),
    ] {
        let error = flaw(text, &[]);
        assert!(error.contains(now) && !error.contains("known:"), "{error}");
    }
}

#[test]
fn a_file_of_the_original_is_told_key_by_key_what_became_of_it() {
    let old = "; the broker\n[connection]\nhost = localhost\nusername: guest\npassword = hunter2\nheartbeat_interval = 10\n\
               async_engine = True\n[server]\nqueue_name = test_service\n[ssl]\nkeyfile = k.pem\n";
    let mut text = old.to_owned();
    for (told, now) in [
        ("line 6: connection.heartbeat_interval: it is called heartbeat now", "heartbeat = 10"),
        ("line 7: connection.async_engine: it is gone", ""),
        ("line 9: server.queue_name: it is called queue now", "queue = test_service"),
        ("line 10: ssl: the section [ssl] of the original is [connection.tls] now", "[connection.tls]"),
        ("line 1: a comment begins with '#'", "# the broker"),
        ("line 3: connection.host: in TOML a text stands in quotes", "host = \"localhost\""),
        ("line 4: connection.username: in TOML a text stands in quotes", "username = \"guest\""),
        ("line 5: connection.password: in TOML a text stands in quotes", "password = \"hunter2\""),
        ("line 9: server.queue: in TOML a text stands in quotes", "queue = \"test_service\""),
        ("line 11: connection.tls.keyfile: in TOML a text stands in quotes", ""),
    ] {
        let error = flaw(&text, &[]);
        assert!(error.starts_with(&format!("text, {told}")) && !error.contains("hunter2"), "{error}\n{text}");
        let line: usize =
            told[5..].split(':').next().and_then(|number| number.parse().ok()).expect("a number");
        let lines = (1..).zip(text.lines()).map(|(at, old)| if at == line { now } else { old });
        text = lines.collect::<Vec<_>>().join("\n");
    }
    let moved =
        AmqpConfig::new("localhost", 5671).credentials("guest", "hunter2").heartbeat(10).tls(Tls::new());
    assert_eq!(good(&text, &[]), moved);
}

#[test]
fn no_error_and_no_debug_output_shows_a_password() {
    let secret = "hunter2";
    for text in [
        "[connection]\npassword = hunter2",
        "[connection]\npassword = [\"hunter2\"]",
        "[connection]\npassword = \"hunter2\nuser = 3",
        "[connection]\nuri = \"amqp://guest:hunter2@ho st\"",
        "[connection]\nuri = \"amqp://guest:hunter2@a,,b\"",
        "[connection]\nhost = \"guest:hunter2@a\"",
    ] {
        let error = flaw(text, &[]);
        assert!(error.starts_with("text, line ") && !error.contains(secret), "{error}");
    }
    let file = ConfigFile::of_text(
        "[connection]\npassword = \"hunter2\"\n[server]\nqueue = \"q\"\nexchange = \"e\"",
    );
    for shown in [format!("{file:?}"), format!("{:?}", file.connection()), format!("{:?}", file.server())] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn tls_is_never_dropped_in_silence() {
    let text = "[connection.tls]\ncacertfile = \"/dev/null\"";
    assert_eq!(
        flaw(text, &[("TAVRIDA_CONNECTION__URI", "amqp://a")]),
        "TAVRIDA_CONNECTION__URI: connection.uri: scheme: amqp is not encrypted, and there are settings of TLS: write \
         amqps://, or leave them out"
    );
    let error = flaw(&format!("[connection]\nuri = \"amqp://a\"\n{text}"), &[]);
    assert_eq!(
        error,
        "text, line 4: connection.tls: there are settings of TLS, and the uri says amqp: write amqps://"
    );
    let error = flaw("[connection.tls]\nverify = \"verify_none\"", &[]);
    assert!(
        error.contains("connection.tls.verify: \"verify_none\"; the broker's certificate is always verified")
    );
    let error = flaw("[connection.tls]\ncacertfile = \"/nowhere\"", &[]);
    assert!(error.starts_with("text, line 2: connection.tls.cacertfile: /nowhere: "), "{error}");
    let error = flaw("[connection.tls]\ncertfile = \"/dev/null\"", &[]);
    assert_eq!(error, "text: connection.tls.keyfile: missing, and there is a certfile");
}

#[test]
fn a_server_says_what_it_must_have() {
    assert_eq!(
        server_flaw("[server]\nexchange = \"e\""),
        "text: server.queue: missing; there is no TAVRIDA_SERVER__QUEUE either"
    );
    assert_eq!(
        server_flaw("[server]\nqueue = \"q\"\nexchange = \"\""),
        "text, line 3: server.exchange: it is empty"
    );
    let text = "[server]\nqueue = \"q\"\nexchange = \"e\"\n";
    assert!(server_flaw(&format!("{text}prefetch = 0")).ends_with("server.prefetch: at least 1"));
    assert!(server_flaw(&format!("{text}declare_mode = \"all\"")).ends_with("known: declare, check, skip"));
    assert!(server_flaw(&format!("{text}services = \"a\"")).contains("a list of texts is expected"));
    let server = ConfigFile::of_text(format!("{text}services = [\"a\"]"))
        .variables([("TAVRIDA_SERVER__SERVICES", "b,c"), ("TAVRIDA_SERVER__EXCHANGE", "f")])
        .server()
        .expect("a server");
    assert_eq!((server.queue(), server.exchange()), ("q", "f"));
    assert_eq!(server.services(), Some(&["b".to_owned(), "c".to_owned()][..]));
}

//! Tests of URIs.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::super::{AuthMechanism, Tls};
use super::*;

fn parsed(uri: &str) -> AmqpConfig {
    parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"))
}

fn error(uri: &str) -> String {
    parse(uri).expect_err(uri).to_string()
}

#[test]
fn what_is_left_out_has_the_brokers_defaults() {
    assert_eq!(parsed("amqp://localhost"), AmqpConfig::new("localhost", 5672));
    assert_eq!(parsed("amqp://"), AmqpConfig::new("localhost", 5672));
}

/// Appendix A of RabbitMQ's specification of URIs: user, password, host, port, virtual host; what is left out is a hyphen.
#[test]
fn the_examples_of_the_specification() {
    for (uri, parts) in [
        ("amqp://user:pass@host:10000/vhost", ["user", "pass", "host", "10000", "vhost"]),
        ("amqp://user%61:%61pass@ho%61st:10000/v%2fhost", ["usera", "apass", "hoast", "10000", "v/host"]),
        ("amqp://", ["-"; 5]),
        ("amqp://:@/", ["", "", "-", "-", ""]),
        ("amqp://user@", ["user", "-", "-", "-", "-"]),
        ("amqp://user:pass@", ["user", "pass", "-", "-", "-"]),
        ("amqp://host", ["-", "-", "host", "-", "-"]),
        ("amqp://:10000", ["-", "-", "-", "10000", "-"]),
        ("amqp:///vhost", ["-", "-", "-", "-", "vhost"]),
        ("amqp://host/", ["-", "-", "host", "-", ""]),
        ("amqp://host/%2f", ["-", "-", "host", "-", "/"]),
        ("amqp://[::1]", ["-", "-", "::1", "-", "-"]),
        // Beyond the examples.
        ("AMQP://host:", ["-", "-", "host", "-", "-"]),
        (" amqp://host\n", ["-", "-", "host", "-", "-"]),
        ("amqp://u:p:q@h/v@w", ["u", "p:q", "h", "-", "v@w"]),
        ("amqp://h/v@w?connection_name=a@b", ["-", "-", "h", "-", "v@w"]),
        ("amqp://u%40:%2f%3f%23%40@h", ["u@", "/?#@", "h", "-", "-"]),
    ] {
        let or = |at: usize, default: &str| {
            if parts[at] == "-" { default.to_owned() } else { parts[at].to_owned() }
        };
        let expected = AmqpConfig::new(or(2, "localhost"), or(3, "5672").parse().expect("a port"))
            .credentials(or(0, "guest"), or(1, "guest"))
            .virtual_host(or(4, "/"));
        let parsed = AmqpConfig { connection_name: None, ..parsed(uri) };
        assert_eq!(parsed, expected, "{uri}");
    }
}

#[test]
fn what_is_no_uri_of_amqp_is_refused_with_the_part_and_the_mend_and_never_the_password() {
    for (uri, key, problem) in [
        ("amqp:rabbit-1", "uri", "'//' is missing"),
        ("rabbit-1", "uri", "a scheme is missing"),
        ("", "uri", "a scheme is missing"),
        ("amqp://u:hunter2@h1,u:hunter2@h2/v", "host", "once, before the first host"),
        ("amqp://u:hunt@er2@h", "host", "is written %40"),
        ("amqp://u:hunt#er2@h:5672/v", "uri", "is written %23"),
        ("amqp://u:hunt/er2@h:5672/v", "password", "is written %2f or %3f"),
        ("amqp://u:hunt?er2@h:5672/v", "password", "is written %2f or %3f"),
        ("amqp://u:1?hunter2@h:5672/v", "password", "is written %2f or %3f"),
        ("amqp://u:hunter2", "host", "the port of \"u\" is not a number"),
        ("amqp://u:hunt%er2@h", "password", "is written %25"),
        ("amqp://u:hunter2@h:70000", "host", "the port 70000 of \"h\" is not a number from 1 to 65535"),
        ("amqp://u:hunter2@h:0", "host", "the port 0 of \"h\""),
        ("amqp://u:hunter2@h:-1", "host", "the port of \"h\""),
        ("amqp://u:hunter2@::1", "host", "stands in brackets"),
        ("amqp://u:hunter2@[::1", "host", "in brackets"),
        ("amqp://u:hunter2@[::1]x", "host", "in brackets"),
        ("amqp://u:hunter2@[::g]", "host", "\"[::g]\" is not an IPv6 address"),
        ("amqp://u:hunter2@a b", "host", "\"a b\" is not the name of a host: there is ' ' in it"),
        ("amqp://u:hunter2@h/a/b", "virtual host", "is written %2f"),
    ] {
        let error = parse(uri).expect_err(uri);
        assert!(error.key() == key && error.to_string().contains(problem), "{uri}: {error}");
        assert!(
            !error.to_string().contains("hunt") && !format!("{error:?}").contains("er2"),
            "{uri}: {error:?}"
        );
    }
}

/// Replays the run of `TAVRIDA_SEED`, or prints the seed that replays this one.
fn seeded() -> Config {
    let given = std::env::var("TAVRIDA_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("TAVRIDA_SEED={seed} replays this run");
    Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn an_endpoint_is_a_uri_whatever_the_virtual_host(name in any::<String>(), port in 1..u16::MAX) {
        let config = AmqpConfig::new("rabbit", port).or_host("::1", 1).virtual_host(name);
        prop_assert_eq!(parse(&config.endpoint()), Ok(config));
    }

    #[test]
    fn no_text_makes_the_parser_panic(uri in "(amqps?://)?[a-z:@/?#%,=\\[\\]é\0 0-9]{0,40}") {
        let _ = parse(&uri);
    }
}

#[test]
fn every_part_is_read() {
    let uri = "amqp://us%65r:p%40ss@rabbit:1234/a%2fb?heartbeat=7&connection_timeout=1500&channel_max=9&frame_max=8192";
    let expected = AmqpConfig::new("rabbit", 1234)
        .credentials("user", "p@ss")
        .virtual_host("a/b")
        .heartbeat(7)
        .connect_timeout(Duration::from_millis(1500))
        .channel_max(9)
        .frame_max(8192);
    assert_eq!(parsed(uri), expected);
}

#[test]
fn what_belongs_to_this_library_alone_is_read_too() {
    let uri = "amqp://rabbit?locale=de_DE&connection_name=billing&connection_attempts=3&retry_delay=0.5\
        &reconnect_attempts=-1&publish_window=16";
    let expected = AmqpConfig::new("rabbit", 5672)
        .locale("de_DE")
        .connection_name("billing")
        .connection_attempts(3)
        .retry_delay(Duration::from_millis(500))
        .reconnect_attempts(None)
        .publish_window(16);
    assert_eq!(parsed(uri), expected);
}

#[test]
fn several_hosts_stand_where_one_does() {
    let three = AmqpConfig::new("a", 5672).or_host("::1", 7).or_host("c", 5672).virtual_host("v");
    assert_eq!(parsed("amqp://a,[::1]:7,c/v"), three.clone());
    assert_eq!(parsed(&three.endpoint()), three);
    let user = parsed("amqps://us:p%2ca@a:1,b?heartbeat=3");
    assert_eq!(user.endpoint(), "amqps://a:1,b:5671/%2f");
    assert_eq!(user.password, "p,a");
    assert_eq!(error("amqp://a,,b"), "host: one of several hosts is empty");
    assert_eq!(error("amqp://a,b:x"), "host: the port of \"b\" is not a number from 1 to 65535");
}

#[test]
fn a_parameter_is_given_once_and_makes_sense() {
    assert_eq!(error("amqp://a?heartbeat=1&heartbeat=2"), "heartbeat: it is given twice");
    assert_eq!(
        error("amqp://a?channel_max=2"),
        "channel_max: 2 are too few for a session; at least 8, or 0 for the server's limit"
    );
    assert_eq!(error("amqp://a?publish_window=0"), "publish_window: 0 publishes nothing; at least 1");
    assert!(error("amqp://a?retry_delay=-1").starts_with("retry_delay: \"-1\" is not a number of seconds"));
}

#[test]
fn addresses_are_hosts_too() {
    assert_eq!(parsed("amqp://127.0.0.1:5673"), AmqpConfig::new("127.0.0.1", 5673));
    assert_eq!(parsed("amqp://[::1]:5673"), AmqpConfig::new("::1", 5673));
    assert_eq!(parsed("amqp://[::1]:5673").endpoint(), "amqp://[::1]:5673/%2f");
}

#[test]
fn a_bare_slash_is_the_virtual_host_without_a_name() {
    assert_eq!(parsed("amqp://localhost/").virtual_host, "");
    assert_eq!(parsed("amqp://localhost/%2f").virtual_host, "/");
}

#[test]
fn an_error_names_the_culprit_and_never_the_password() {
    assert_eq!(error("http://localhost"), "scheme: \"http\" is not known; expected \"amqp\" or \"amqps\"");
    assert_eq!(
        error("amqp://localhost?heartbeat=soon"),
        "heartbeat: \"soon\" is not a whole number of 16 bits"
    );
    assert!(error("amqp://localhost?hartbeat=1").starts_with("hartbeat: not a parameter"));
    assert!(error("amqp://localhost/a/b").starts_with("virtual host: \"a/b\""));
    assert!(error("amqp://guest:%ff@localhost").starts_with("password: percent-decodes"));
    assert!(!error("amqp://guest:hunter2@local host").contains("hunter2"));
}

#[test]
fn amqps_has_its_own_port_and_parameters() {
    let plain = AmqpConfig::new("rabbit", 5671);
    assert_eq!(parsed("amqps://rabbit"), plain.clone().tls(Tls::new()));
    let uri = "amqps://rabbit?server_name_indication=inner&verify=verify_peer&auth_mechanism=EXTERNAL";
    let named = plain.tls(Tls::new().server_name("inner")).auth_mechanism(AuthMechanism::External);
    assert_eq!(parsed(uri), named);
    assert_eq!(named.endpoint(), "amqps://rabbit:5671/%2f");
}

#[test]
fn what_would_weaken_or_half_configure_tls_is_an_error() {
    assert!(error("amqps://rabbit?verify=verify_none").starts_with("verify: \"verify_none\""));
    assert!(error("amqp://rabbit?cacertfile=/ca.pem").starts_with("cacertfile: it is for amqps://"));
    assert!(error("amqps://rabbit?cacertfile=/nowhere").starts_with("cacertfile: /nowhere: "));
    assert!(error("amqps://rabbit?certfile=/dev/null").starts_with("keyfile: missing"));
    assert!(error("amqps://rabbit?auth_mechanism=magic").starts_with("auth_mechanism: \"magic\""));
}

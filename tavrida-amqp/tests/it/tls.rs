//! Encrypted connections, with certificates that the tests make.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tavrida::transport::{Scope, Session, SessionError, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport, AuthMechanism, Tls};
use tavrida_rabbitmq::Node;
use tempfile::TempDir;

use crate::support::{body, connect, declare, soon, to_queue};

/// An authority with its certificates in a folder.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM files.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Returns a broker's certificate, for 127.0.0.1 and for `rabbit.test`.
    fn broker(&self) -> Identity {
        let names = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).to_string(), "rabbit.test".into()];
        self.sign("broker", names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Returns the certificate of a user.
    fn user(&self, name: &str) -> Identity {
        self.sign(name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, common_name: &str, names: Vec<String>, usage: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |suffix: &str| self.folder.path().join(format!("{common_name}.{suffix}.pem"));
        let identity = Identity { certificate: path("certificate"), key: path("key") };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }

    fn trusted(&self) -> Tls {
        Tls::new().ca_file(self.file()).unwrap()
    }
}

/// Starts a node that uses TLS with a certificate of `authority`.
async fn node(authority: &Authority) -> Node {
    let Identity { certificate, key } = authority.broker();
    Node::builder().tls(certificate, key).start().await.unwrap()
}

fn config(node: &Node, tls: Tls) -> AmqpConfig {
    AmqpConfig::new("127.0.0.1", node.tls_port().unwrap()).frame_max(8192).tls(tls)
}

/// Returns why the connection fails, without waiting for a timeout.
async fn failure(config: AmqpConfig) -> SessionError {
    let error = soon(AmqpTransport::new(config).connect()).await.map(drop).unwrap_err();
    assert!(!error.to_string().contains("no answer within"), "{error}");
    error
}

async fn round_trip(session: &Arc<dyn Session>) {
    declare(session, "q").await;
    soon(session.publish(to_queue("q", "in secret"))).await.unwrap();
    let fetched = session.get("q").await.unwrap().unwrap();
    assert_eq!(body(&fetched.delivery), "in secret");
    fetched.delivery.ack().unwrap();
}

#[tokio::test]
async fn messages_cross_an_encrypted_connection_and_what_is_wrong_with_one_is_named() {
    let authority = Authority::new("ours");
    let node = node(&authority).await;
    let good = config(&node, authority.trusted());
    let session = connect(good.clone()).await;
    round_trip(&session).await;
    let connections = node.eval("rabbit_networking:connection_info_all([ssl, user])").await.unwrap();
    assert_eq!(connections.matches("{ssl,true}").count(), 2, "{connections}");
    soon(session.close()).await.unwrap();

    let place = format!("127.0.0.1:{}", node.tls_port().unwrap());
    let text = failure(config(&node, Authority::new("others").trusted())).await.to_string();
    assert!(text.contains(&format!("cannot connect to {place}: TLS: ")), "{text}");
    assert!(text.contains("UnknownIssuer"), "{text}");

    let stranger = authority.trusted().server_name("elsewhere.test");
    let text = failure(config(&node, stranger)).await.to_string();
    assert!(text.contains(&format!("cannot connect to {place}: TLS: ")), "{text}");
    assert!(text.contains("not valid for name \"elsewhere.test\""), "{text}");
    assert!(text.contains("rabbit.test"), "{text}");

    let named = config(&node, authority.trusted().server_name("rabbit.test"));
    soon(connect(named).await.close()).await.unwrap();

    // A broker without TLS, and a client without it.
    let plain = AmqpConfig::new("127.0.0.1", node.port()).tls(authority.trusted());
    let text = failure(plain).await.to_string();
    assert!(text.contains(&format!("cannot connect to 127.0.0.1:{}: TLS: ", node.port())), "{text}");
    let text = failure(AmqpConfig::new("127.0.0.1", node.tls_port().unwrap())).await.to_string();
    assert!(text.contains(&format!("cannot connect to {place}: ")), "{text}");

    refused(good.clone().credentials("guest", "wrong"), 403, "ACCESS_REFUSED - Login was refused").await;
    refused(good.virtual_host("nowhere"), 530, "NOT_ALLOWED - vhost nowhere not found").await;
}

async fn refused(config: AmqpConfig, code: u16, text: &str) {
    match failure(config).await {
        SessionError::Refused(refusal) => {
            assert_eq!((refusal.code, refusal.scope), (code, Scope::Connection));
            assert!(refusal.text.starts_with(text), "{}", refusal.text);
        }
        other => panic!("refused, not {other}"),
    }
}

/// The URI and the configuration file are equivalent.
#[tokio::test]
async fn a_user_is_known_by_the_certificate_alone() {
    let authority = Authority::new("ours");
    let Identity { certificate, key } = authority.broker();
    let builder = Node::builder().tls(certificate, key).client_certificates(authority.file());
    let node = builder.start().await.unwrap();
    let carol = "rabbit_auth_backend_internal:add_user(<<\"carol\">>, <<\"unused\">>, <<\"tests\">>), \
        rabbit_auth_backend_internal:set_permissions(<<\"carol\">>, <<\"/\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, \
        <<\"tests\">>)";
    node.eval(carol).await.unwrap();
    let with = |identity: Identity| {
        let tls = authority.trusted().identity_files(identity.certificate, identity.key).unwrap();
        config(&node, tls).auth_mechanism(AuthMechanism::External)
    };

    let session = connect(with(authority.user("carol"))).await;
    round_trip(&session).await;
    let connections = node.eval("rabbit_networking:connection_info_all([ssl, user])").await.unwrap();
    assert_eq!(connections.matches("{user,<<\"carol\">>}").count(), 2, "{connections}");
    soon(session.close()).await.unwrap();

    refused(with(authority.user("dave")), 403, "ACCESS_REFUSED - Login was refused").await;

    let place = format!("cannot connect to 127.0.0.1:{}: ", node.tls_port().unwrap());
    let text = failure(config(&node, authority.trusted())).await.to_string();
    assert!(text.contains(&place) && text.contains("no client certificate was shown"), "{text}");
    let text = failure(with(Authority::new("others").user("carol"))).await.to_string();
    assert!(text.contains(&place) && text.contains("may not accept the client certificate"), "{text}");
}

/// The authority may change: files are read at each attempt.
#[tokio::test]
async fn a_renewed_authority_is_believed_at_the_next_connection() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let node = node(&new).await;
    let transport = AmqpTransport::new(config(&node, old.trusted()));
    let text = soon(transport.connect()).await.map(drop).unwrap_err().to_string();
    assert!(text.contains("UnknownIssuer"), "{text}");
    std::fs::copy(new.file(), old.file()).unwrap();
    let session = soon(transport.connect()).await.unwrap();
    round_trip(&session).await;
    soon(session.close()).await.unwrap();
}

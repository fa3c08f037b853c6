//! Over TLS: certificates are checked, and HTTP/2 is spoken where the server has it.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{StatusCode, Version};
use axum::routing::post;
use axum::{Json, Router};
use common::Bench;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio_rustls::TlsAcceptor;

const ROWS: usize = 200;

/// A server with a certificate of an authority of its own.
struct Secure {
    address: SocketAddr,
    /// The authority's certificate, as PEM.
    authority: String,
    connections: Arc<AtomicUsize>,
    versions: Arc<Mutex<Vec<Version>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Secure {
    /// Speaks these protocols, by the names that TLS knows them by (RFC 7301).
    fn start(protocols: &[&[u8]]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let connections = Arc::new(AtomicUsize::new(0));
        let versions = Arc::new(Mutex::new(Vec::new()));
        let made = Arc::new(AtomicUsize::new(0));
        let router = Router::new().route(
            "/customers",
            post({
                let versions = Arc::clone(&versions);
                async move |request: Request| {
                    versions.lock().unwrap().push(request.version());
                    // Long enough that several are under way at once.
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    let id = made.fetch_add(1, Ordering::Relaxed).to_string();
                    (StatusCode::CREATED, Json(json!({ "id": id })))
                }
            }),
        );
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn({
            let connections = Arc::clone(&connections);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, router) = (acceptor.clone(), router.clone());
                    let connections = Arc::clone(&connections);
                    tokio::spawn(async move {
                        // A client that does not trust us goes away here.
                        let Ok(stream) = acceptor.accept(stream).await else {
                            return;
                        };
                        connections.fetch_add(1, Ordering::Relaxed);
                        let _ = auto::Builder::new(TokioExecutor::new())
                            .serve_connection(
                                TokioIo::new(stream),
                                TowerToHyperService::new(router),
                            )
                            .await;
                    });
                }
            }
        });
        Self {
            address,
            authority: issuer.pem(),
            connections,
            versions,
            _runtime: runtime,
        }
    }

    fn target(&self) -> String {
        format!(
            "name = \"T\"\nbase_url = \"https://localhost:{}\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/customers\"\nid = \"id\"\n[limits]\nconcurrency = 8\n[fields]\nname = {{ type = \"text\", required = true }}\n",
            self.address.port()
        )
    }
}

fn bench(server: &Secure) -> Bench {
    let bench = Bench::new();
    bench.file("t.target.toml", &server.target());
    bench.file(
        "m.toml",
        "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\n",
    );
    let mut rows = String::from("Id,Name\n");
    for row in 0..ROWS {
        rows.push_str(&format!("{row},N{row}\n"));
    }
    bench.file("c.csv", &rows);
    bench.file("authority.pem", &server.authority);
    bench
}

#[test]
fn http_2_is_spoken_where_the_server_has_it() {
    for (protocols, version) in [
        (&[&b"h2"[..], b"http/1.1"][..], Version::HTTP_2),
        (&[b"http/1.1"], Version::HTTP_11),
    ] {
        let server = Secure::start(protocols);
        let bench = bench(&server);
        let authority = bench.path().join("authority.pem");
        let authority = authority.to_str().unwrap();
        let ran = bench
            .run_with(
                &[("SSL_CERT_FILE", authority)],
                &["import", "c.csv", "-m", "m.toml", "--json"],
            )
            .expect(0);
        assert_eq!(ran.json()["fates"]["created"], ROWS);
        let versions = server.versions.lock().unwrap();
        assert_eq!(versions.len(), ROWS);
        assert!(versions.iter().all(|spoken| *spoken == version));
        let connections = server.connections.load(Ordering::Relaxed);
        // Not more than requests at once; which protocol it is, the first of them find out.
        assert!(
            (1..=8).contains(&connections),
            "{connections} connections for {version:?}"
        );
    }
}

#[test]
fn a_server_whose_certificate_nobody_vouches_for_gets_nothing() {
    let server = Secure::start(&[b"h2", b"http/1.1"]);
    let bench = bench(&server);
    // Another authority than the server's.
    let stranger = Secure::start(&[b"h2"]).authority;
    let stranger = bench.file("stranger.pem", &stranger);
    let ran = bench
        .run_with(
            &[("SSL_CERT_FILE", stranger.to_str().unwrap())],
            &[
                "import",
                "c.csv",
                "-m",
                "m.toml",
                "--json",
                "--wait-down",
                "1s",
            ],
        )
        .expect(3);
    let said = ran.json();
    assert_eq!(said["fates"]["pending"], ROWS);
    assert_eq!(said["finished"], false);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    assert!(server.versions.lock().unwrap().is_empty());
}

#[test]
fn a_machine_without_certificates_practises_and_is_told_what_it_lacks() {
    let server = Secure::start(&[b"h2"]);
    let bench = bench(&server);
    let nowhere = [
        ("SSL_CERT_FILE", "/nowhere/at/all.pem"),
        ("SSL_CERT_DIR", "/nowhere/at/all"),
    ];
    let ran = bench
        .run_with(
            &nowhere,
            &["import", "c.csv", "-m", "m.toml", "--sandbox", "--json"],
        )
        .expect(0);
    assert_eq!(ran.json()["fates"]["created"], ROWS);
    let ran = bench
        .run_with(&nowhere, &["import", "c.csv", "-m", "m.toml"])
        .expect(2);
    assert!(ran.stderr.contains("SSL_CERT_FILE"), "{}", ran.stderr);
}

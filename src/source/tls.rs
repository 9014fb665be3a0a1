//! Encrypted connections to databases: ring's cryptography, and how much of a certificate is checked.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::base::fail;

/// Which certificates of a server are believed.
pub enum Trust<'a> {
    /// Any: encrypted, but it may be somebody else's server. libpq's `prefer` and `require`.
    Anybody,
    /// Those signed by an authority of the system.
    System,
    /// Those signed by an authority in this file of PEM certificates.
    File(&'a Path),
}

/// A connector for `tokio-postgres`.
pub fn connector(trust: &Trust<'_>) -> Result<MakeRustlsConnect> {
    if let Trust::System = trust {
        // This constructor takes the provider of the process; a second installation changes nothing.
        let _ = ring::default_provider().install_default();
        let found = MakeRustlsConnect::with_native_certs();
        if let Ok((connector, _)) = found {
            return Ok(connector);
        }
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.context("cannot prepare encryption")?;
    let config = match trust {
        Trust::Anybody => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))).with_no_client_auth()
        }
        Trust::System => {
            return Err(fail::world("this system has no certificates to check a server with")
                .hint("name a file of them with sslrootcert=FILE")
                .into());
        }
        Trust::File(path) => {
            let mut roots = RootCertStore::empty();
            let shown = path.display();
            let unreadable = |error: String| fail::world(format!("cannot read the certificates in {shown}: {error}"));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Believes every certificate, but not that a server holds a key which it does not.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

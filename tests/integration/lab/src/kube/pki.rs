//! Certificates and kubeconfigs of a control plane.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The `kubernetes` Service's address in the cluster.
const SERVICE: &str = "10.96.0.1";

#[derive(Debug)]
pub struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// Makes an authority, the server's certificate, those of an administrator and of the controllers, and the key
    /// that signs service-account tokens.
    pub fn write(dir: &Path, url: &str, address: Ipv4Addr) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let pki = Self { dir: dir.to_owned() };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named("lab", None);
        let key = KeyPair::generate()?;
        std::fs::write(pki.certificate("ca"), params.self_signed(&key)?.pem())?;
        let authority = Issuer::new(params, key);

        let names =
            ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"].map(str::to_owned);
        let addresses = [address.to_string(), "127.0.0.1".to_owned(), SERVICE.to_owned()];
        let mut server = CertificateParams::new([&names[..], &addresses[..]].concat())?;
        server.distinguished_name = named("kube-apiserver", None);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        pki.issue("server", server, &authority)?;
        for (name, user, group) in [
            ("admin", "admin", Some("system:masters")),
            ("controllers", "system:kube-controller-manager", None),
        ] {
            let mut client = CertificateParams::default();
            client.distinguished_name = named(user, group);
            client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            pki.issue(name, client, &authority)?;
            std::fs::write(pki.kubeconfig(name), pki.kubeconfig_text(name, url))?;
        }
        let accounts = KeyPair::generate()?;
        std::fs::write(pki.key("accounts"), accounts.serialize_pem())?;
        std::fs::write(pki.public_key("accounts"), accounts.public_key_pem())?;
        Ok(pki)
    }

    fn issue(&self, name: &str, params: CertificateParams, authority: &Issuer<'_, KeyPair>) -> Result<()> {
        let key = KeyPair::generate()?;
        std::fs::write(self.certificate(name), params.signed_by(&key, authority)?.pem())?;
        std::fs::write(self.key(name), key.serialize_pem())?;
        Ok(())
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.crt"))
    }

    pub fn key(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    pub fn public_key(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.pub"))
    }

    pub fn kubeconfig(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.kubeconfig"))
    }

    fn kubeconfig_text(&self, name: &str, url: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: lab\n\
             clusters: [{{name: lab, cluster: {{server: \"{url}\", certificate-authority: {}}}}}]\n\
             users: [{{name: lab, user: {{client-certificate: {}, client-key: {}}}}}]\n\
             contexts: [{{name: lab, context: {{cluster: lab, user: lab}}}}]\n",
            self.certificate("ca").display(),
            self.certificate(name).display(),
            self.key(name).display(),
        )
    }
}

fn named(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, user);
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name
}

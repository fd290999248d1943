//! The authority of the controllers' certificates: its key in a Secret that only they may read, its certificate in a
//! ConfigMap that agents mount.
//!
//! The first controller makes it. A Secret that is there (of cert-manager, or of the operator's own authority) is
//! used, never replaced.

use super::MANAGER;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// The Secret (kubernetes.io/tls) and the ConfigMap.
pub const NAME: &str = "novaedge-ca";
/// The ConfigMap's key.
pub const CA: &str = "ca.crt";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("the API server does not answer")]
    Silent,
    #[error("Secret {namespace}/{NAME} cannot be read or made: {source}")]
    Secret { namespace: String, source: kube::Error },
    #[error(
        "Secret {namespace}/{NAME} has no {key}: put certificate and key of an authority there, or remove the Secret and the controllers make one"
    )]
    Incomplete { namespace: String, key: &'static str },
    #[error("ConfigMap {namespace}/{NAME} cannot be written: {source}")]
    ConfigMap { namespace: String, source: kube::Error },
}

/// Certificate and key as PEM.
pub type Pem = (String, String);

/// The authority that there is; if there is none, the one that `made` is from now on.
///
/// # Errors
/// The server does not let us, or the Secret is no authority.
pub async fn open(client: &Client, namespace: &str, made: &Pem) -> Result<Pem, AuthorityError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |source| AuthorityError::Secret { namespace: namespace.to_owned(), source };
    let found = timeout(PATIENCE, secrets.get_opt(NAME)).await.map_err(|_| AuthorityError::Silent)?;
    if let Some(secret) = found.map_err(failed)? {
        return read(namespace, &secret);
    }
    let (certificate, key) = made;
    let data = [(CERTIFICATE, certificate), (KEY, key)];
    let data = data.map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes())));
    let secret = Secret {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        type_: Some("kubernetes.io/tls".to_owned()),
        data: Some(BTreeMap::from(data)),
        ..Secret::default()
    };
    let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    let created = timeout(PATIENCE, secrets.create(&parameters, &secret)).await;
    match created.map_err(|_| AuthorityError::Silent)? {
        Ok(_) => Ok(made.clone()),
        // Another controller was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => {
            let found = timeout(PATIENCE, secrets.get(NAME)).await.map_err(|_| AuthorityError::Silent)?;
            read(namespace, &found.map_err(failed)?)
        }
        Err(error) => Err(failed(error)),
    }
}

fn read(namespace: &str, secret: &Secret) -> Result<Pem, AuthorityError> {
    let part = |key: &'static str| {
        let bytes = secret.data.as_ref().and_then(|data| data.get(key));
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.0.clone()).ok());
        text.ok_or_else(|| AuthorityError::Incomplete { namespace: namespace.to_owned(), key })
    };
    Ok((part(CERTIFICATE)?, part(KEY)?))
}

/// Shows the authority's certificate to whoever mounts the ConfigMap.
///
/// # Errors
/// The server does not let us.
pub async fn show(client: &Client, namespace: &str, certificate: &str) -> Result<(), AuthorityError> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let body = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": NAME }, "data": { CA: certificate },
    });
    let parameters = PatchParams::apply(MANAGER).force();
    let patch = Patch::Apply(&body);
    let shown = timeout(PATIENCE, maps.patch(NAME, &parameters, &patch)).await;
    let failed = |source| AuthorityError::ConfigMap { namespace: namespace.to_owned(), source };
    shown.map_err(|_| AuthorityError::Silent)?.map(|_| ()).map_err(failed)
}

//! A client, from inside a cluster or by a kubeconfig.

use kube::Client;
use kube::config::{Config, InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than the server takes for anything but a watch.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the kubeconfig {path} cannot be used: {source}")]
    Kubeconfig { path: String, source: KubeconfigError },
    #[error(
        "no cluster is known: run inside a pod with a service account, say --kubeconfig FILE, or --manifests DIR \
         to work without Kubernetes: {0}"
    )]
    Unknown(#[source] InferConfigError),
    #[error("no client can be made for {url}: {source}")]
    Client { url: String, source: kube::Error },
}

/// A client for the cluster of the kubeconfig; without one, for that of the pod, or of the usual places of a
/// kubeconfig. Nothing is sent yet.
///
/// # Errors
/// There is no usable configuration.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Client, ConnectError> {
    let mut config = match kubeconfig {
        Some(path) => from_file(path.to_owned()).await?,
        None => Config::infer().await.map_err(ConnectError::Unknown)?,
    };
    config.connect_timeout = Some(Duration::from_secs(5));
    config.write_timeout = Some(PATIENCE);
    let url = config.cluster_url.to_string();
    Client::try_from(config).map_err(|source| ConnectError::Client { url, source })
}

async fn from_file(path: PathBuf) -> Result<Config, ConnectError> {
    let failed = |source| ConnectError::Kubeconfig { path: path.display().to_string(), source };
    let kubeconfig = Kubeconfig::read_from(&path).map_err(failed)?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(failed)
}

//! Whose token it is: the API server knows, and says on which node the token's pod runs.
//!
//! An agent's word about itself counts for nothing. A token without a node (made for no pod), of another workload,
//! for another audience, or expired is refused.

use crate::model::name::Name;
use crate::runtime::ask::Asked;
use aws_lc_rs::digest::{SHA256, digest};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus, UserInfo};
use kube::api::PostParams;
use kube::{Api, Client};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout};

/// For which tokens are made that agents show to controllers.
pub const AUDIENCE: &str = "novaedge-controller";

const NODE_NAME: &str = "authentication.kubernetes.io/node-name";

/// A review is believed for so long: a pod that is gone has lost its token.
const BELIEVED: Duration = Duration::from_secs(60);

/// Reviews at once.
const AT_ONCE: usize = 32;

/// For one of them.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reviews that are remembered.
const REMEMBERED: usize = 20_000;

pub type Reviewed = Result<Name, String>;

/// Who may be an agent.
#[derive(Debug, Clone)]
pub struct Expected {
    /// `system:serviceaccount:NAMESPACE:NAME`.
    pub user: String,
}

impl Expected {
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self { user: format!("system:serviceaccount:{namespace}:{name}") }
    }

    /// What a review means. Pure.
    pub fn judge(&self, status: TokenReviewStatus) -> Reviewed {
        let TokenReviewStatus { audiences, authenticated, error, user } = status;
        if authenticated != Some(true) {
            return Err(error.unwrap_or_else(|| "the API server does not know the token".to_owned()));
        }
        if !audiences.unwrap_or_default().iter().any(|audience| audience == AUDIENCE) {
            return Err(format!("the token is not for the audience {AUDIENCE}"));
        }
        let UserInfo { username, extra, .. } = user.unwrap_or_default();
        let username = username.unwrap_or_default();
        if username != self.user {
            return Err(format!("the token is {username}'s, and agents are {}", self.user));
        }
        let node = extra.unwrap_or_default().remove(NODE_NAME).unwrap_or_default();
        let node = node.first().and_then(|node| Name::parse(node.clone()).ok());
        node.ok_or_else(|| "the token was made for no pod, so it is of no node".to_owned())
    }
}

type Remembered = Arc<Mutex<HashMap<[u8; 32], (Instant, Name)>>>;

/// Answers for as long as somebody may ask.
pub async fn run(client: Client, expected: Expected, mut asked: mpsc::Receiver<Asked<String, Reviewed>>) {
    let reviews: Api<TokenReview> = Api::all(client);
    let (remembered, slots) = (Remembered::default(), Arc::new(Semaphore::new(AT_ONCE)));
    while let Some(Asked { question: token, answer }) = asked.recv().await {
        let key = key(&token);
        if let Some(node) = recall(&remembered, &key) {
            let _ = answer.send(Ok(node));
            continue;
        }
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let (reviews, expected, remembered) = (reviews.clone(), expected.clone(), Arc::clone(&remembered));
        tokio::spawn(async move {
            let begun = Instant::now();
            let reviewed = match review(&reviews, token).await {
                Ok(status) => expected.judge(status),
                Err(words) => Err(words),
            };
            match &reviewed {
                Ok(node) => remember(&remembered, key, (begun, node.clone())),
                Err(why) => tracing::info!(why, "a token is refused"),
            }
            let _ = answer.send(reviewed);
            drop(slot);
        });
    }
}

async fn review(reviews: &Api<TokenReview>, token: String) -> Result<TokenReviewStatus, String> {
    let spec = TokenReviewSpec { audiences: Some(vec![AUDIENCE.to_owned()]), token: Some(token) };
    let asked = TokenReview { spec, ..TokenReview::default() };
    match timeout(PATIENCE, reviews.create(&PostParams::default(), &asked)).await {
        Ok(Ok(review)) => Ok(review.status.unwrap_or_default()),
        Ok(Err(error)) => Err(format!("the API server cannot review tokens: {error}")),
        Err(_) => Err("the API server does not answer".to_owned()),
    }
}

/// No token is kept.
fn key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

fn recall(remembered: &Remembered, key: &[u8; 32]) -> Option<Name> {
    let remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    let (since, node) = remembered.get(key)?;
    (since.elapsed() < BELIEVED).then(|| node.clone())
}

fn remember(remembered: &Remembered, key: [u8; 32], review: (Instant, Name)) {
    let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    if remembered.len() >= REMEMBERED {
        remembered.retain(|_, (since, _)| since.elapsed() < BELIEVED);
    }
    remembered.insert(key, review);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn status(user: &str, audience: &str, node: Option<&str>) -> TokenReviewStatus {
        let extra = node.map(|node| BTreeMap::from([(NODE_NAME.to_owned(), vec![node.to_owned()])]));
        TokenReviewStatus {
            audiences: Some(vec![audience.to_owned()]),
            authenticated: Some(true),
            error: None,
            user: Some(UserInfo { username: Some(user.to_owned()), extra, ..UserInfo::default() }),
        }
    }

    #[test]
    fn only_an_agents_own_token_names_its_node() {
        let expected = Expected::service_account("novaedge-system", "novaedge-agent");
        let agent = "system:serviceaccount:novaedge-system:novaedge-agent";
        let judged = expected.judge(status(agent, AUDIENCE, Some("n1")));
        assert_eq!(judged.unwrap().as_str(), "n1");
        let strangers = [
            (status(agent, AUDIENCE, None), "made for no pod"),
            (status(agent, AUDIENCE, Some("Not A Node")), "made for no pod"),
            (status(agent, "https://kubernetes.default.svc", Some("n1")), "audience novaedge-controller"),
            (
                status("system:serviceaccount:prod:shop", AUDIENCE, Some("n1")),
                "the token is system:serviceaccount:prod",
            ),
            (TokenReviewStatus::default(), "does not know"),
            (
                TokenReviewStatus { error: Some("expired".to_owned()), ..TokenReviewStatus::default() },
                "expired",
            ),
        ];
        for (status, words) in strangers {
            let why = expected.judge(status).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }
}

//! Session passwords and keys from Secrets.

use super::accepted::{ospf_key_key, password_key};
use super::peer::Authentication;
use super::rejection::Findings;
use super::surroundings::Surroundings;
use crate::api::condition::Reason;
use crate::api::reference::SecretKeyRef;
use crate::model::bgp::Password;
use crate::model::name::Key;
use k8s_openapi::api::core::v1::Secret;
use std::net::IpAddr;

/// Without a usable password there is no session; one that runs goes on with the password it has.
pub fn password(
    reference: &SecretKeyRef,
    peer: IpAddr,
    field: &str,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Authentication {
    let running = surroundings.password(&password_key(peer, reference)).cloned();
    match read(reference, surroundings) {
        Ok(password) => Authentication::Md5(password),
        Err((reason, message)) => {
            let effect = match running {
                Some(_) => "the running session is left alone",
                None => "the session is not configured",
            };
            findings.refuse(
                format!("{field}.passwordSecretRef"),
                reason,
                format!("{message}; until then {effect}"),
            );
            running.map_or(Authentication::Missing, Authentication::Md5)
        }
    }
}

/// Without a usable key there is no speaker; one that runs goes on with the key it has. Returned with the name
/// under which it is remembered.
pub fn ospf_key(
    reference: &SecretKeyRef,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Option<(String, Password)> {
    let remembered = ospf_key_key(reference);
    let key = match read(reference, surroundings) {
        Ok(key) => Some(key),
        Err((reason, message)) => {
            let running = surroundings.password(&remembered).cloned();
            let effect =
                if running.is_some() { "the speaker is left alone" } else { "the VIP is not announced" };
            let message = format!("{message}; until then {effect}");
            match running {
                Some(_) => findings.note("spec.ospfConfig.authKeySecretRef", reason, message),
                None => findings.refuse("spec.ospfConfig.authKeySecretRef", reason, message),
            }
            running
        }
    };
    key.map(|key| (remembered, key))
}

fn read(reference: &SecretKeyRef, surroundings: &Surroundings) -> Result<Password, (Reason, String)> {
    let SecretKeyRef { name, namespace, key } = reference;
    let id = format!("Secret {namespace}/{name}");
    let secret = Key::try_from(format!("{namespace}/{name}")).ok().and_then(|id| surroundings.secret(&id));
    let Some(secret) = secret else {
        return Err((Reason::RefNotFound, format!("{id} does not exist; create it")));
    };
    let Some(bytes) = value(secret, key) else {
        return Err((Reason::RefNotFound, format!("{id} has no key {key:?}; add it, or name another key")));
    };
    let unusable = |problem: String| (Reason::InvalidValue, format!("key {key:?} of {id}: {problem}"));
    let text =
        String::from_utf8(bytes).map_err(|_| unusable("the password is no text; write ASCII".to_owned()))?;
    if text.trim_end_matches(['\r', '\n']) != text {
        let message =
            "the password ends with a line break; write it without (echo adds one, printf does not)";
        return Err(unusable(message.to_owned()));
    }
    Password::parse(text).map_err(|error| unusable(error.to_string()))
}

/// `stringData` wins, as in an API server.
fn value(secret: &Secret, key: &str) -> Option<Vec<u8>> {
    let plain = secret.string_data.as_ref().and_then(|data| data.get(key));
    let plain = plain.map(|text| text.clone().into_bytes());
    plain.or_else(|| Some(secret.data.as_ref()?.get(key)?.0.clone()))
}

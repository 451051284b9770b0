//! What an application's handlers take as arguments: who is signed in, and who may do what.

use std::marker::PhantomData;
use std::ops::Deref;

use account::Account;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use crate::gate::Gate;
use crate::guard::{self, Doors, Identity};
use crate::rejection::Rejection;
use crate::visit::Visit;

/// How a person showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// A session cookie.
    Session,
    /// A token, in whichever header.
    Token,
    /// User name and password with the request itself.
    Basic,
}

impl Via {
    /// The word of `/api/me`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Basic => "basic",
        }
    }
}

/// Who is signed in. As an argument of a handler behind [`Gate::login_required`](crate::Gate::login_required) it is always there;
/// behind [`Gate::login_optional`](crate::Gate::login_optional) take an `Option<CurrentUser>`.
///
/// ```
/// use ldapgate_web::CurrentUser;
/// async fn upload(user: CurrentUser) -> String {
///     format!("thank you, {}", user.username)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct CurrentUser(pub Account);

impl Deref for CurrentUser {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

/// A permission that a handler asks for.
pub trait Permission {
    /// Its name, as the configuration's `[permissions]` writes it.
    const NAME: &'static str;
}

/// A signed-in person who has the permission `P`; everybody else gets 403.
///
/// ```
/// use ldapgate_web::{Permission, Require};
/// struct ViewReports;
/// impl Permission for ViewReports {
///     const NAME: &'static str = "reports.view";
/// }
/// async fn report(user: Require<ViewReports>) -> String {
///     format!("for {}", user.username)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Require<P> {
    user: CurrentUser,
    permission: PhantomData<fn() -> P>,
}

impl<P> Require<P> {
    /// Who it is.
    #[must_use]
    pub fn into_user(self) -> CurrentUser {
        self.user
    }
}

impl<P> Deref for Require<P> {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.user.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Ok(Self(required(parts).await?.account))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        Ok(known(parts).await?.map(|identity| Self(identity.account)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Via {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Ok(required(parts).await?.via)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        required(parts).await
    }
}

impl<S: Send + Sync, P: Permission> FromRequestParts<S> for Require<P> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let account = required(parts).await?.account;
        if !account.has_permission(P::NAME) {
            return Err(reject(parts, &Rejection::Forbidden));
        }
        Ok(Self { user: CurrentUser(account), permission: PhantomData })
    }
}

async fn required(parts: &mut Parts) -> Result<Identity, Response> {
    match known(parts).await? {
        Some(identity) => Ok(identity),
        None => {
            let rejection =
                guard::nobody(&parts.method, &parts.headers, guard::target(&parts.uri, &parts.extensions));
            Err(reject(parts, &rejection))
        }
    }
}

/// Who a guard has found, or who can be found now that somebody asks.
async fn known(parts: &mut Parts) -> Result<Option<Identity>, Response> {
    if let Some(identity) = parts.extensions.get::<Identity>() {
        return Ok(Some(identity.clone()));
    }
    let Some(gate) = parts.extensions.get::<Gate>().cloned() else {
        tracing::error!(
            path = parts.uri.path(),
            "a handler asks who is signed in, but no login layer is around its route"
        );
        return Err(Rejection::Internal.status().into_response());
    };
    let visit = Visit::of(&gate, &parts.headers, &parts.extensions);
    let found = guard::identify(&gate, &visit, &parts.method, &parts.headers, Doors::CookieOrToken).await;
    let found = found.map_err(|rejection| rejection.render(&visit))?;
    parts.extensions.insert(visit);
    if let Some(identity) = &found {
        parts.extensions.insert(identity.clone());
    }
    Ok(found)
}

fn reject(parts: &Parts, rejection: &Rejection) -> Response {
    match parts.extensions.get::<Gate>() {
        Some(gate) => rejection.render(&Visit::of(gate, &parts.headers, &parts.extensions)),
        None => rejection.status().into_response(),
    }
}

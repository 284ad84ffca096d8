use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

/// The one name in a path, such as a channel's address.
pub struct Named<T>(pub T);

/// A query whose refusals are problems.
pub struct Asked<T>(pub T);

impl<S, T> FromRequestParts<S> for Named<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => name,
            Err(error) => return Err(ApiError::InvalidPath(String::new(), error.body_text())),
        };
        let read = name.parse();
        read.map(Self).map_err(|error| ApiError::InvalidPath(name, format!("{error}")))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        asked
            .map(|Query(asked)| Self(asked))
            .map_err(|error| ApiError::InvalidQuery(error.body_text()))
    }
}

use motif_json::{Node, Object, from_node, parse};
use serde::de::DeserializeOwned;

use crate::CallError;

/// Arguments of a call that are not read yet, by name.
#[derive(Debug)]
pub struct Arguments<'a>(Object<'a>);

impl<'a> Arguments<'a> {
    /// Parses a JSON object.
    ///
    /// # Errors
    /// `invalid-call`.
    pub fn parse(json: &'a str) -> Result<Self, CallError> {
        match parse(json.as_bytes()).map_err(CallError::invalid_call)? {
            Node::Object(arguments) => Ok(Self(arguments)),
            _ => Err(CallError::invalid_call("expected an object of arguments")),
        }
    }

    /// Removes and deserializes an argument. One that is missing is read like `null`, which optional types
    /// accept.
    ///
    /// # Errors
    /// `invalid-call`, with what was expected.
    #[inline(never)]
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        let value = self.remove(name);
        let is_missing = value.is_none();
        from_node(&value.unwrap_or_default()).map_err(|error| invalid(name, is_missing, &error))
    }

    /// Removes and deserializes an argument; returns `default` if it is missing.
    ///
    /// # Errors
    /// As [`Arguments::take`].
    pub fn take_or<T: DeserializeOwned>(&mut self, name: &str, default: T) -> Result<T, CallError> {
        if self.0.iter().any(|(known, _)| known == name) { self.take(name) } else { Ok(default) }
    }

    fn remove(&mut self, name: &str) -> Option<Node<'a>> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(position).1)
    }

    /// Checks that all arguments were read.
    ///
    /// # Errors
    /// `invalid-call`.
    #[inline(never)]
    pub fn finish(&self) -> Result<(), CallError> {
        match self.0.first() {
            Some((name, _)) => Err(CallError::invalid_call(format!("unknown argument `{name}`"))),
            None => Ok(()),
        }
    }
}

fn invalid(name: &str, is_missing: bool, error: &motif_json::Error) -> CallError {
    CallError::invalid_call(match is_missing {
        true => format!("missing `{name}`"),
        false => format!("invalid `{name}`: {error}"),
    })
}

/// Reads the arguments of a [`Call`](crate::Call) into variables: `name: Type`, or `name: Type = default` if it may be
/// missing. `name("key"): Type` has another name in JSON. Returns `invalid-call` if an argument is missing,
/// malformed or unknown.
///
/// `arguments!(call, { work: Address, number: u32 = 1, licensed_use("use"): Use });`
#[macro_export]
macro_rules! arguments {
    ($call:ident, { $($name:ident $(($key:literal))?: $type:ty $(= $default:expr)?),* $(,)? }) => {
        let arguments = $call.arguments;
        $(let $name: $type = $crate::argument!(arguments, $name $(($key))? $(= $default)?);)*
        arguments.finish()?;
    };
}

/// Reads one argument for [`arguments!`].
#[doc(hidden)]
#[macro_export]
macro_rules! argument {
    ($arguments:ident, $name:ident) => {
        $arguments.take(stringify!($name))?
    };
    ($arguments:ident, $name:ident($key:literal)) => {
        $arguments.take($key)?
    };
    ($arguments:ident, $name:ident = $default:expr) => {
        $arguments.take_or(stringify!($name), $default)?
    };
}

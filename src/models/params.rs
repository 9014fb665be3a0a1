//! Parameters as written become parameters as typed: unknown names and values out of range are refused here.

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::fail;
use crate::base::suggest;

/// Reads the parameters of model kind `kind`; absent ones take their default, whole numbers do for floats.
///
/// Errors: a name that `T` does not have (with a suggestion), a value of another type.
pub fn read<T: Serialize + DeserializeOwned + Default>(kind: &str, given: &toml::Table) -> Result<T> {
    let known = defaults::<T>();
    if let Some(name) = given.keys().find(|name| !known.contains_key(*name)) {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        return Err(suggest::unknown(&format!("parameter of `{kind}`:"), name, known).into());
    }
    for (name, value) in given {
        let mut single = toml::Table::new();
        single.insert(name.clone(), value.clone());
        if single.try_into::<T>().is_err() {
            let usual = &known[name];
            return Err(fail::usage(format!("parameter `{name}` of `{kind}` cannot be {value}"))
                .hint(format!("its default is {usual}"))
                .into());
        }
    }
    Ok(given.clone().try_into::<T>()?)
}

/// All parameters of `T` with their defaults.
pub fn defaults<T: Serialize + Default>() -> toml::Table {
    table(&T::default())
}

/// Parameters as they would be written.
pub fn table<T: Serialize>(params: &T) -> toml::Table {
    toml::Table::try_from(params).expect("parameters are plain tables of numbers and names")
}

/// Refuses a parameter out of range; `range` says in words what is allowed.
pub fn check(kind: &str, name: &str, value: f64, fine: bool, range: &str) -> Result<()> {
    match fine && value.is_finite() {
        true => Ok(()),
        false => Err(fail::usage(format!("parameter `{name}` of `{kind}` is {value}"))
            .hint(format!("it must be {range}"))
            .into()),
    }
}

//! Lists the migrations, so that one is added by adding a file.
//!
//! sqlx has a macro for it, which costs every build a second copy of both databases' drivers.

use std::{env, fmt::Write, fs, io, path::Path};

const MIGRATIONS: &str = "../../migrations/gateway";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={MIGRATIONS}");
    let mut files = fs::read_dir(MIGRATIONS)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_unstable_by_key(fs::DirEntry::file_name);
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_name().into_string().map_err(|name| misnamed(name.display()))?;
        let numbered = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_'));
        let (number, words) = numbered.ok_or_else(|| misnamed(&name))?;
        let number: i64 = number.parse().map_err(|_| misnamed(&name))?;
        let (words, path) = (words.replace('_', " "), file.path().canonicalize()?);
        let _ = writeln!(list, "    ({number}, {words:?}, include_str!({path:?})),");
    }
    list.push(']');
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("Cargo names no folder"))?;
    fs::write(Path::new(&folder).join("migrations.rs"), list)
}

fn misnamed(name: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{name}: a migration is named like 0001_what_it_does.sql"))
}

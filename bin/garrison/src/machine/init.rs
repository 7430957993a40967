//! `garrison init`: configuration, keys, certificate, database and a first tenant.

mod made;

use std::fs;
use std::path::{Path, absolute};

use anyhow::{Context as _, ensure};
use garrison_base::{Clock as _, Exit, PathName, SystemClock};
use garrison_kernel::DbError;
use garrison_secrets::{Passphrase, RootKey, SystemEntropy};

use super::{key, tenant, wait};
use crate::cli::InitArgs;
use crate::config::{Config, Data, Engine, Keys, Loaded, Server, Sources, Tls, load, starter};
use crate::output::Printer;
use crate::server::tls;
use crate::{say, serve};

use made::{InTheWay, Made, Thing};

/// `garrison init`
pub fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let mut made = Made::default();
    let config = match make(args, &mut made) {
        Ok(config) => config,
        Err(error) => {
            made.undo();
            say!("garrison: {error:#}");
            return Ok(if error.is::<InTheWay>() { Exit::Conflict } else { Exit::Failed });
        }
    };
    let mut printer = Printer::stdout(args.output.output);
    made.things().iter().try_for_each(|thing| printer.row(thing))?;
    printer.finish::<Thing>()?;
    tell_what_next(args, &config);
    Ok(Exit::Ok)
}

fn make(args: &InitArgs, made: &mut Made) -> anyhow::Result<Config> {
    let dir = absolute(&args.dir).with_context(|| format!("finding {}", args.dir.display()))?;
    let config = configuration(args, &dir, made)?.config;
    let passphrase = match key::chosen(&args.passphrase)? {
        Some(chosen) => chosen,
        None => config.keys.passphrase()?,
    };
    folders(&config, &passphrase, made)?;
    certificate(&config, made)?;
    state(&config, &passphrase, &args.tenant, made)?;
    Ok(config)
}

/// Writes the configuration, then reads it as every other command will.
fn configuration(args: &InitArgs, dir: &Path, made: &mut Made) -> anyhow::Result<Loaded> {
    let passphrase_file = args.passphrase.passphrase_file.as_deref().map(absolute).transpose();
    let passphrase_file = passphrase_file.context("finding the file of the passphrase")?;
    let config = Config {
        server: Server { listen: args.listen, names: args.names.clone(), ..Server::default() },
        data: Data { dir: dir.join("data") },
        keys: Keys { dir: dir.join("keys"), passphrase_file },
        ..Config::default()
    };
    let file = dir.join("garrison.toml");
    made.file(&file, &starter(&config, dir)?, 0o644)?;
    made.note("configuration", file.display(), "every key, with comments");
    if let Some(from) = &args.postgres_url_file {
        let text = format!("[database]\nurl = {}\n", serde_json::Value::from(postgres_url(from)?));
        let file = dir.join("garrison.d/database.toml");
        made.file(&file, &text, 0o600)?;
        made.note("configuration", file.display(), "the address of the database");
    }
    load(&Sources::of_process(Some(file), Vec::new())?)
}

/// The address of the database, without what editors put at the end of a file.
fn postgres_url(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let text = text.trim();
    ensure!(
        text.starts_with("postgres://") || text.starts_with("postgresql://"),
        "{} must hold postgres://USER:PASSWORD@HOST/NAME and nothing else",
        file.display()
    );
    Ok(text.to_owned())
}

fn folders(config: &Config, passphrase: &Passphrase, made: &mut Made) -> anyhow::Result<()> {
    made.folder(&config.data.dir)?;
    made.note("data folder", config.data.dir.display(), "what the server stores");
    made.folder(&config.keys.dir)?;
    RootKey::create_sealed(&config.keys.dir, passphrase, &SystemEntropy)?;
    let note = match passphrase {
        Passphrase::None => "without it nothing can be read: keep a copy elsewhere",
        Passphrase::Text(_) => {
            "sealed by the passphrase: without both nothing can be read, keep a copy of each elsewhere"
        }
    };
    made.note("root key", config.keys.dir.join("root.key").display(), note);
    Ok(())
}

fn certificate(config: &Config, made: &mut Made) -> anyhow::Result<()> {
    if config.server.tls != Tls::OwnCa {
        return Ok(());
    }
    let (dir, now) = (config.tls_dir(), SystemClock.now());
    tls::make(&dir, &config.server.reached_by(), now)?;
    let authority = tls::authority_file(&dir);
    let pem = fs::read_to_string(&authority).with_context(|| format!("reading {}", authority.display()))?;
    let note = format!("browsers must trust it; SHA-256 {}", tls::fingerprint(&pem)?);
    made.note("authority", authority.display(), note);
    if let Some(loaded) = tls::load(&config.server, &dir, now)? {
        let note = format!("for {}", loaded.names.join(", "));
        made.note("certificate", dir.join("server.pem").display(), note);
    }
    Ok(())
}

/// The database, and the tenant in it.
fn state(config: &Config, passphrase: &Passphrase, name: &PathName, made: &mut Made) -> anyhow::Result<()> {
    let engine = config.engine();
    if let Some(Engine::Sqlite(file)) = &engine {
        let there = file.symlink_metadata().is_ok();
        ensure!(!there, InTheWay(format!("the database {} is there already", file.display())));
    }
    let (tenant, root) = wait(async {
        let keys = serve::keys_under(config, passphrase)?;
        let kernel = serve::open_with(config, keys.base(), None).await.map_err(foreign)?;
        // The database now knows the key: it must stay, even if the tenant cannot be founded.
        made.keep();
        let founded = kernel.found_tenant(name, tenant::origin(&kernel)).await;
        kernel.close().await;
        founded.with_context(|| {
            format!("founding the tenant {name}; the rest was made, try `garrison tenant create`")
        })
    })?;
    let note = "what the root key wraps: keep a copy of it with that of root.key";
    made.note("key store", config.keys.dir.join("keys.store").display(), note);
    match engine {
        Some(Engine::Sqlite(file)) => made.note("database", file.display(), "SQLite"),
        _ => made.note("database", "PostgreSQL", "with the schema of this version"),
    }
    made.note("tenant", tenant, format!("{name}; the root of its tree is {root}"));
    Ok(())
}

/// A new key does not fit rows that are there already.
fn foreign(error: anyhow::Error) -> anyhow::Error {
    let tampered = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(DbError::Tampered { .. }))
    };
    if error.chain().any(tampered) {
        return InTheWay("the database holds the data of another Garrison already".to_owned()).into();
    }
    error.context("opening the database")
}

fn tell_what_next(args: &InitArgs, config: &Config) {
    let usual = args.dir == Path::new("./garrison") || args.dir == Path::new("/etc/garrison");
    let option =
        if usual { String::new() } else { format!(" --config {}/garrison.toml", args.dir.display()) };
    let keys = config.keys.dir.display();
    say!("");
    say!("What to do next:");
    say!(
        "1. Copy {keys} to a safe place, apart from backups of the data: whoever has both can read everything."
    );
    say!("   Copy it again when keys were rotated or destroyed; old copies read what was destroyed since.");
    say!(
        "2. To keep the keys elsewhere: move the folder as it is, and set `dir` under [keys] in garrison.toml to it."
    );
    if args.passphrase.ask_passphrase {
        say!("   Set `passphrase_file` there to a file with the passphrase: the server cannot ask for it.");
    }
    say!("3. Start the server: garrison serve{option}");
    say!("   It listens on {}. `garrison doctor{option}` checks what it rests on.", config.server.origin());
}

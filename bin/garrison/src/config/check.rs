//! What is refused although each key by itself could be right.

use std::net::IpAddr;

use anyhow::{bail, ensure};
use axum::http::Uri;
use rustls::pki_types::DnsName;
use tracing_subscriber::EnvFilter;

use super::{Loaded, Tls};

/// Checks everything.
pub fn all(loaded: &Loaded) -> anyhow::Result<()> {
    tls(loaded)?;
    names(loaded)?;
    public_url(loaded)?;
    database(loaded)?;
    session(loaded)?;
    intake(loaded)?;
    detection(loaded)?;
    loaded.config.notices.check()?;
    log(loaded)
}

fn intake(loaded: &Loaded) -> anyhow::Result<()> {
    let intake = &loaded.config.intake;
    let sources = std::iter::once(&intake.syslog.source).chain(intake.files.iter().map(|file| &file.source));
    for source in sources {
        if let Err(words) = source.parse::<garrison_logs::Name>() {
            bail!("intake: the source {source:?}: {words}");
        }
    }
    for forward in &intake.forward {
        ensure!(
            forward
                .to
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()),
            "intake.forward `{}`: to: write host:port, not {:?}",
            forward.name,
            forward.to
        );
        ensure!(
            forward.name.parse::<garrison_logs::Name>().is_ok(),
            "intake.forward: the name {:?} has 1 to 63 of a-z, 0-9, `.`, `_`, `-`",
            forward.name
        );
    }
    Ok(())
}

fn detection(loaded: &Loaded) -> anyhow::Result<()> {
    let level = &loaded.config.detection.min_level;
    ensure!(
        level.parse::<garrison_sigma::Level>().is_ok(),
        "{} must be informational, low, medium, high or critical, not {level:?}",
        loaded.told("detection.min_level")
    );
    Ok(())
}

/// A session is renewed five minutes after it was used first: a shorter idle end would cut people off at work.
fn session(loaded: &Loaded) -> anyhow::Result<()> {
    let session = &loaded.config.session;
    for (key, value, least, most) in [
        ("session.idle_minutes", session.idle_minutes, 6, 24 * 60),
        ("session.absolute_hours", session.absolute_hours, 1, 30 * 24),
    ] {
        ensure!(
            (least..=most).contains(&value),
            "{} must be {least} to {most}, not {value}",
            loaded.told(key)
        );
    }
    Ok(())
}

fn tls(loaded: &Loaded) -> anyhow::Result<()> {
    let server = &loaded.config.server;
    let told = |key: &str| loaded.told(key);
    if server.tls == Tls::Off {
        ensure!(
            server.listen.ip().is_loopback(),
            "{} is off, but {} is {}, where others could read along: listen on 127.0.0.1 behind a proxy of \
             this machine, or set `server.tls` to \"own-ca\" or \"files\"",
            told("server.tls"),
            told("server.listen"),
            server.listen
        );
    }
    for (key, path) in [("server.certificate", &server.certificate), ("server.key", &server.key)] {
        if server.tls == Tls::Files {
            ensure!(
                path.is_some(),
                "{} is \"files\", but `{key}` is missing: set both `server.certificate` and `server.key` to \
                 the paths of PEM files",
                told("server.tls")
            );
        } else {
            ensure!(
                path.is_none(),
                "{} would not be used, because `server.tls` is not \"files\": set it so, or remove `{key}`",
                told(key)
            );
        }
    }
    Ok(())
}

fn names(loaded: &Loaded) -> anyhow::Result<()> {
    for name in &loaded.config.server.names {
        let host = name.strip_prefix("*.").unwrap_or(name);
        ensure!(
            name.parse::<IpAddr>().is_ok() || DnsName::try_from(host).is_ok(),
            "{}: {name:?} is neither a DNS name nor an address",
            loaded.told("server.names")
        );
    }
    Ok(())
}

fn public_url(loaded: &Loaded) -> anyhow::Result<()> {
    let Some(text) = &loaded.config.server.public_url else { return Ok(()) };
    let told = loaded.told("server.public_url");
    let wrong = || {
        format!(
            "{told} is {text:?}: write scheme, host and port and nothing behind, such as \
             https://garrison.example:8443"
        )
    };
    let Ok(url) = text.parse::<Uri>() else { bail!(wrong()) };
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else { bail!(wrong()) };
    let whole = format!("{scheme}://{authority}") == *text && !authority.as_str().contains('@');
    ensure!(whole && matches!(scheme, "http" | "https"), wrong());
    let host = authority.host().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    ensure!(
        scheme == "https" || here,
        "{told} is {text:?}: passwords and sessions would travel in the clear; write https:// and let the \
         proxy in front speak TLS"
    );
    Ok(())
}

fn database(loaded: &Loaded) -> anyhow::Result<()> {
    // The URL itself is not shown: it may hold a password.
    ensure!(
        loaded.config.engine().is_some(),
        "{} is not a database: write sqlite, sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME",
        loaded.told("database.url")
    );
    let connections = loaded.config.database.connections;
    ensure!(
        (1..=1000).contains(&connections),
        "{} is {connections}: write a number from 1 to 1000",
        loaded.told("database.connections")
    );
    Ok(())
}

fn log(loaded: &Loaded) -> anyhow::Result<()> {
    let level = &loaded.config.log.level;
    let told = loaded.told("log.level");
    if let Err(error) = EnvFilter::builder().parse(level) {
        bail!("{told} is {level:?}: {error}");
    }
    // The library takes any word for the name of a part of the program, and then logs nothing else.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    for word in level.split(',').map(str::trim).filter(|word| !word.contains(['=', '[', '{', '}'])) {
        ensure!(
            levels.contains(&word.to_lowercase().as_str()),
            "{told} is {level:?}: {word:?} is not a level: write one of {}, or PART=LEVEL",
            levels.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use garrison_notices::Secret;

    use super::super::{Sources, load};

    fn result(set: &[(&str, &str)]) -> Result<(), String> {
        // A folder that does not exist holds no file.
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { folder: "/nowhere".into(), set, ..Sources::default() };
        load(&sources).map(drop).map_err(|error| format!("{error:#}"))
    }

    fn refused(set: &[(&str, &str)], with: &str) {
        let told = result(set).unwrap_err();
        assert!(told.contains(with), "{told}");
    }

    #[test]
    fn plain_http_is_only_spoken_on_this_machine() {
        assert_eq!(result(&[("server.tls", "off")]), Ok(()));
        assert_eq!(result(&[("server.tls", "off"), ("server.listen", "[::1]:8480")]), Ok(()));
        refused(
            &[("server.tls", "off"), ("server.listen", "0.0.0.0:8443")],
            "`server.tls` on the command line is off, but `server.listen` on the command line is 0.0.0.0:8443",
        );
    }

    #[test]
    fn own_files_come_in_pairs_and_are_used() {
        let (certificate, key) = (("server.certificate", "/c"), ("server.key", "/k"));
        assert_eq!(result(&[("server.tls", "files"), certificate, key]), Ok(()));
        refused(&[("server.tls", "files"), certificate], "but `server.key` is missing");
        refused(&[("server.tls", "files"), key], "but `server.certificate` is missing");
        refused(&[key], "`server.key` on the command line would not be used");
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for url in ["https://garrison.example", "https://[2001:db8::1]:8443", "http://localhost:8480"] {
            assert_eq!(result(&[("server.public_url", url)]), Ok(()));
        }
        for url in [
            "garrison.example",
            "https://g.example/",
            "https://g.example/x",
            "https://u@g.example",
            "ftp://g",
            "",
        ] {
            refused(&[("server.public_url", url)], "write scheme, host and port and nothing behind");
        }
        refused(&[("server.public_url", "http://g.example")], "in the clear");
    }

    #[test]
    fn a_secret_of_notices_may_stand_in_a_file() {
        const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let folder = tempfile::tempdir().unwrap();
        let loaded = |secret: &str, password: &str| {
            let text = format!(
                "[[notices.webhooks]]\nname = 'chat'\nurl = 'https://chat.example'\n{secret}\n\
                 [notices.smtp]\nhost = 'mail.example'\nport = 587\nfrom = 'g@example.org'\nuser = 'g'\n{password}"
            );
            std::fs::write(folder.path().join("garrison.toml"), text).unwrap();
            load(&Sources { folder: folder.path().into(), ..Sources::default() })
        };
        let refused = |secret: &str, password: &str| format!("{:#}", loaded(secret, password).unwrap_err());
        std::fs::write(folder.path().join("key"), format!("{KEY}\n")).unwrap();
        std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
        let (key, password) = ("secret_file = 'key'", "password_file = './password'");

        let read = loaded(key, password).unwrap();
        let notices = &read.config.notices;
        assert!(notices.webhooks[0].secret == Some(Secret::new(KEY)));
        assert!(notices.smtp.as_ref().unwrap().password == Some(Secret::new("hunter2")));
        assert_eq!(read.origin("notices.smtp.password"), "garrison.toml");
        let shown = format!("{:?} {read:?}", read.show(true).unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains(KEY), "{shown}");

        let told = refused(&format!("{key}\nsecret = '{KEY}'"), password);
        assert!(told.starts_with("notices.webhooks `chat`: secret: it is there, and the file "), "{told}");
        assert!(!told.contains(KEY), "{told}");
        let told = refused(key, "password_file = 'nowhere'");
        let file = folder.path().join("nowhere");
        let words = format!("notices.smtp: password: reading the file {}: ", file.display());
        assert!(told.starts_with(&words), "{told}");
        assert!(refused("", password).ends_with("write `secret` or `secret_file`"));
        assert!(refused("secret_file = 'password'", password).contains("24 to 64 random bytes"));
    }

    #[test]
    fn names_databases_and_levels_are_what_they_claim() {
        assert_eq!(result(&[("server.names", "*.g.example,10.0.0.1,::1,g")]), Ok(()));
        refused(
            &[("server.names", "g.example:8443")],
            "\"g.example:8443\" is neither a DNS name nor an address",
        );
        refused(
            &[("database.url", "mysql://u:hunter2@db")],
            "`database.url` on the command line is not a database",
        );
        refused(&[("database.connections", "0")], "write a number from 1 to 1000");
        for level in ["debug", "info,garrison=debug,hyper=off", "warn,[request{path=x}]=trace"] {
            assert_eq!(result(&[("log.level", level)]), Ok(()), "{level}");
        }
        refused(&[("log.level", "infoo")], "\"infoo\" is not a level");
        refused(&[("log.level", "garrison=loud")], "`log.level` on the command line is \"garrison=loud\": ");
    }
}

//! The pages, as a browser without scripts uses them: in both languages, onward after a login, out of the command line.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use server::{Account, Page, Server, code};

const CHINESE: (&str, &str) = ("accept-language", "zh-CN,zh;q=0.9,en;q=0.1");

/// Looks at a page.
fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Page {
    server.page(("GET", path), headers, &[])
}

/// Sends a form from a page of the site.
fn post(server: &Server, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Page {
    let mut all = vec![("sec-fetch-site", "same-origin")];
    all.extend_from_slice(headers);
    server.page(("POST", path), &all, fields)
}

/// The value of a hidden field.
fn hidden(page: &Page, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.text.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {}", page.text)).1;
    rest.split_once('"').unwrap().0.replace("&#38;", "&")
}

/// The session that an answer gives, as a browser sends it back.
fn session(page: &Page) -> Option<String> {
    let cookie = page.cookies.iter().find(|cookie| cookie.starts_with("__Host-garrison="))?;
    for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    Some(cookie.split_once(';').unwrap().0.to_owned())
}

/// What a page promises whatever it says: its language, one landmark for its content, one heading, a label for each field,
/// and nothing that the content policy would stop.
fn check(page: &Page, lang: &str) {
    let text = &page.text;
    assert!(text.starts_with(&format!("<!doctype html>\n<html lang=\"{lang}\">")), "{text}");
    for once in ["<main>", "<header>", "<footer>", "<h1>", "<title>"] {
        assert_eq!(text.matches(once).count(), 1, "{once} in {text}");
    }
    for input in text.split("<input ").skip(1).filter(|input| !input.starts_with("type=\"hidden\"")) {
        let id = input.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(text.contains(&format!("<label for=\"{id}\">")), "{id} has no label in {text}");
    }
    for refused in ["<script", "<style", " style=", " onclick="] {
        assert!(!text.contains(refused), "{refused} in {text}");
    }
}

/// Logs in by the pages; returns the answer to the last step.
fn log_in(server: &Server, account: &Account, from: &str, headers: &[(&str, &str)]) -> Page {
    let login = get(server, from, headers);
    let next = hidden(&login, "next");
    let given =
        [("name", account.name.as_str()), ("password", account.password.as_str()), ("next", next.as_str())];
    let asked = post(server, "/login", headers, &given);
    assert_eq!((asked.status, session(&asked)), (200, None), "{}", asked.text);
    let (login, next) = (hidden(&asked, "login"), hidden(&asked, "next"));
    let shown = code(&account.secret, 1);
    post(
        server,
        "/login/step",
        headers,
        &[("login", login.as_str()), ("code", shown.as_str()), ("next", next.as_str())],
    )
}

#[test]
fn a_login_leads_on_to_a_path_of_this_site() {
    let server = Server::new();
    let anna = server.first("anna");
    let done = log_in(&server, &anna, "/login?next=%2Falert%3Fstate%3Dopen%26a%3D%252F", &[]);
    assert_eq!((done.status, done.location.as_str()), (303, "/alert?state=open&a=%2F"), "{}", done.text);
    let cookie = session(&done).expect("a session");
    let account = get(&server, "/account", &[("cookie", cookie.as_str())]);
    assert_eq!(account.status, 200, "{}", account.text);
    check(&account, "en");
    assert!(account.text.contains("You are logged in as anna."), "{}", account.text);
    assert_eq!(account.text.matches("<time ").count(), 6, "two sessions, with three times each");
    assert_eq!(account.text.matches("action=\"/session/end\"").count(), 1, "one ends the other one");

    // Out again: the session ends on the server too.
    let out = post(&server, "/logout", &[("cookie", cookie.as_str())], &[]);
    assert_eq!((out.status, out.location.as_str()), (303, "/login"));
    let gone = get(&server, "/account", &[("cookie", cookie.as_str())]);
    assert_eq!((gone.status, gone.location.as_str()), (303, "/login?next=/account"));
    let nobody = get(&server, "/", &[]);
    assert_eq!((nobody.status, session(&nobody)), (303, None));
}

#[test]
fn a_login_leads_to_no_other_site() {
    let server = Server::new();
    for elsewhere in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "",
    ] {
        let login = get(&server, &format!("/login?next={elsewhere}"), &[]);
        assert_eq!((login.status, hidden(&login, "next").as_str()), (200, "/"), "{elsewhere}");
        assert!(!login.text.contains("evil"), "{}", login.text);
    }
    let anna = server.first("anna");
    // Nor when the form itself was changed.
    let given = [("name", "anna"), ("password", anna.password.as_str()), ("next", "//evil.example")];
    let asked = post(&server, "/login", &[], &given);
    let (login, shown) = (hidden(&asked, "login"), code(&anna.secret, 1));
    let given = [("login", login.as_str()), ("code", shown.as_str()), ("next", "/\\evil.example")];
    let done = post(&server, "/login/step", &[], &given);
    assert_eq!((done.status, done.location.as_str()), (303, "/"), "{}", done.text);
}

#[test]
fn every_page_of_a_login_is_there_in_both_languages() {
    let server = Server::new();
    let anna = server.first("anna");
    for (lang, title, second, wrong) in [
        ("en", "Log in", "Second factor", "The name, the password or the code is wrong"),
        ("zh-CN", "登录", "两步验证", "用户名、密码或验证码错误"),
    ] {
        let headers = [("accept-language", lang)];
        let page = get(&server, "/login", &headers);
        check(&page, lang);
        assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{}", page.text);
        let given = [("name", "anna"), ("password", "wrong wrong wrong")];
        let again = post(&server, "/login", &headers, &given);
        check(&again, lang);
        assert!(again.status == 401 && again.text.contains(wrong), "{}", again.text);
        assert!(again.text.contains("value=\"anna\""), "what was typed stays: {}", again.text);
        let given = [("name", "anna"), ("password", anna.password.as_str())];
        let asked = post(&server, "/login", &headers, &given);
        check(&asked, lang);
        assert!(asked.text.contains(&format!("<h1>{second}</h1>")), "{}", asked.text);

        // The same step in the other language: nothing of it is lost.
        let other = if lang == "en" { "zh-CN" } else { "en" };
        let login = hidden(&asked, "login");
        let turn = format!("/login/step?lang={other}");
        let turned = post(&server, &turn, &headers, &[("login", login.as_str())]);
        check(&turned, other);
        assert_eq!((turned.status, hidden(&turned, "login")), (200, login));
        let ended = get(&server, "/activate/gin_a.b.c", &headers);
        check(&ended, lang);
        assert_eq!(ended.status, 401, "{}", ended.text);
    }
}

#[test]
fn a_language_that_was_chosen_is_remembered() {
    let server = Server::new();
    let chosen = get(&server, "/login?next=/alert&lang=zh-CN", &[]);
    check(&chosen, "zh-CN");
    assert_eq!(hidden(&chosen, "next"), "/alert");
    assert!(chosen.text.contains("href=\"/login?next=/alert&#38;lang=en\""), "{}", chosen.text);
    let cookie = chosen.cookies.iter().find(|cookie| cookie.starts_with("lang=")).expect("a cookie");
    assert!(cookie.starts_with("lang=zh-CN;") && !cookie.contains("HttpOnly"), "{cookie}");
    let later = get(&server, "/login", &[("cookie", "lang=zh-CN"), ("accept-language", "en")]);
    check(&later, "zh-CN");
    assert!(later.cookies.is_empty(), "{:?}", later.cookies);
    check(&get(&server, "/login", &[("cookie", "lang=en"), CHINESE]), "en");
    check(&get(&server, "/login?lang=fr", &[CHINESE]), "zh-CN");
}

#[test]
fn the_first_administrator_is_made_in_chinese() {
    let server = Server::new();
    let path = format!("/activate/{}", server.links[0]);
    let welcome = get(&server, &path, &[CHINESE]);
    check(&welcome, "zh-CN");
    assert!(welcome.text.contains("欢迎使用 Garrison"), "{}", welcome.text);
    // Each field tells what is wrong with it, and what was right stays.
    let given = [("name", "安娜"), ("full_name", "安娜"), ("email", "anna")];
    let wrong = post(&server, &path, &[CHINESE], &given);
    check(&wrong, "zh-CN");
    assert_eq!(wrong.status, 422);
    for there in ["id=\"name-wrong\"", "describedby=\"name-wrong\"", "id=\"email-wrong\"", "value=\"安娜\""]
    {
        assert!(wrong.text.contains(there), "{there} in {}", wrong.text);
    }
    assert!(!wrong.text.contains("full_name-wrong"), "{}", wrong.text);

    let given = [("name", "Anna"), ("full_name", "安娜"), ("email", "anna@example.org")];
    let chosen = post(&server, &path, &[CHINESE], &given);
    check(&chosen, "zh-CN");
    let login = hidden(&chosen, "login");
    let given = [("login", login.as_str()), ("new_password", "short")];
    let weak = post(&server, "/login/step", &[CHINESE], &given);
    assert!(weak.status == 422 && weak.text.contains("此密码过于容易被猜中"), "{}", weak.text);
    let given = [("login", login.as_str()), ("new_password", "密码是一个很长的句子真的很长")];
    let app = post(&server, "/login/step", &[CHINESE], &given);
    check(&app, "zh-CN");
    let secret = app.text.split_once("<p class=\"secret\"><code>").unwrap().1.split_once('<').unwrap().0;
    let shown = code(secret, 0);
    let given = [("login", login.as_str()), ("code", shown.as_str())];
    let done = post(&server, "/login/step", &[CHINESE], &given);
    check(&done, "zh-CN");
    assert_eq!(done.text.matches("<li><code>").count(), 10, "{}", done.text);
    let cookie = session(&done).expect("a session");
    let account = get(&server, "/account", &[CHINESE, ("cookie", cookie.as_str())]);
    check(&account, "zh-CN");
    assert!(account.text.contains("您当前以 anna 的身份登录。"), "{}", account.text);
}

#[test]
fn a_link_opens_the_session_of_a_browser_once() {
    let server = Server::new();
    let anna = server.first("anna");
    let made = server.post(&anna.session, "/api/v1/session/hand-over", &json!({}));
    let path = made["path"].as_str().unwrap();
    assert!(path.starts_with("/enter/gen_"), "{path}");
    // Looking at it, as programs do that preview links, uses nothing up.
    for (lang, words) in [("en", "You will be logged in as anna."), ("zh-CN", "您将以 anna 的身份登录。")]
    {
        let page = get(&server, path, &[("accept-language", lang)]);
        check(&page, lang);
        assert!(page.status == 200 && session(&page).is_none() && page.text.contains(words), "{}", page.text);
    }
    let forged = server.page(("POST", path), &[("sec-fetch-site", "cross-site")], &[]);
    assert_eq!((forged.status, forged.location.as_str(), session(&forged)), (303, path, None));

    let entered = post(&server, path, &[], &[]);
    assert_eq!((entered.status, entered.location.as_str()), (303, "/"), "{}", entered.text);
    let cookie = session(&entered).expect("a session");
    assert_eq!(get(&server, "/account", &[("cookie", cookie.as_str())]).status, 200);
    let sessions = server.get(&anna.session, "/api/v1/session");
    let ends: Vec<_> = sessions.as_array().unwrap().iter().map(|one| one["absolute_until"].clone()).collect();
    assert!(ends.len() == 2 && ends[0] == ends[1], "{sessions}");
    for again in [post(&server, path, &[], &[]), get(&server, path, &[])] {
        check(&again, "en");
        assert_eq!((again.status, session(&again)), (401, None), "{}", again.text);
        assert!(again.text.contains("This link has been used, or has ended"), "{}", again.text);
    }

    // What stands behind a link is where it leads, if that is a path of this site.
    for (asked, leads) in [("/%3Fdemo=1", "/?demo=1"), ("//evil.example", "/"), ("https://a.example", "/")] {
        let made = server.post(&anna.session, "/api/v1/session/hand-over", &json!({}));
        let path = made["path"].as_str().unwrap();
        let shown = get(&server, &format!("{path}?next={asked}"), &[]);
        check(&shown, "en");
        assert_eq!((shown.status, hidden(&shown, "next").as_str()), (200, leads), "{asked}");
        let entered = post(&server, path, &[], &[("next", leads)]);
        assert_eq!((entered.status, entered.location.as_str()), (303, leads), "{}", entered.text);
        assert!(session(&entered).is_some(), "{asked}");
    }
    let made = server.post(&anna.session, "/api/v1/session/hand-over", &json!({}));
    let elsewhere = post(&server, made["path"].as_str().unwrap(), &[], &[("next", "/\\evil.example")]);
    assert_eq!((elsewhere.status, elsewhere.location.as_str()), (303, "/"), "{}", elsewhere.text);

    // One that was not used ends with the session that it was made from.
    let made = server.post(&anna.session, "/api/v1/session/hand-over", &json!({}));
    let own = server.get(&anna.session, "/api/v1/whoami")["session"].clone();
    server.post(&anna.session, "/api/v1/session/end", &json!({ "session": own }));
    let late = post(&server, made["path"].as_str().unwrap(), &[], &[]);
    assert_eq!((late.status, session(&late)), (401, None), "{}", late.text);
}

#[test]
fn the_command_line_prints_a_link_and_opens_it() {
    let server = Server::new();
    let anna = server.first("anna");
    // What stands in for the browser of this machine notes what it was given.
    let browser = server.place.path("bin/xdg-open");
    std::fs::create_dir_all(browser.parent().unwrap()).unwrap();
    std::fs::write(&browser, "#!/bin/sh\necho \"$1\" > opened\n").unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let search = format!("{}:/usr/bin:/bin", browser.parent().unwrap().display());
    let ran = server
        .place
        .command("console --open -o json")
        .env("GARRISON_URL", &server.url)
        .env("GARRISON_TOKEN", &anna.session)
        .env("GARRISON_CA", server.place.path("garrison/keys/tls/ca.pem"))
        .env("PATH", search)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let link = told.pointer("/0/link").or(told.pointer("/link")).and_then(Value::as_str).unwrap();
    assert_eq!(std::fs::read_to_string(server.place.path("opened")).unwrap().trim(), link);
    let path = link.strip_prefix(&server.url).unwrap();
    assert!(session(&post(&server, path, &[], &[])).is_some(), "{link}");
}

#[test]
fn a_token_hands_no_session_over() {
    let server = Server::new();
    let anna = server.first("anna");
    let me = server.get(&anna.session, "/api/v1/whoami");
    let top = server.get(&anna.session, "/api/v1/node")["items"][0]["id"].clone();
    let new = json!({ "actor": me["id"], "name": "t", "verbs": ["*"], "node": top, "days": 1 });
    let token =
        server.post(&anna.session, "/api/v1/token/create", &new)["token"].as_str().unwrap().to_owned();
    let refused = server.call("POST", "/api/v1/session/hand-over", Some(&token), Some(&json!({})));
    assert_eq!((refused.status, &refused.body["type"]), (403, &json!("session/needs-login")));
    // And it is told that it may not.
    let may = |credential: &str| server.get(credential, "/api/v1/whoami")["may"].as_array().unwrap().clone();
    let (person, program) = (may(&anna.session), may(&token));
    for verb in ["session:hand-over", "token:create", "password:change", "account:invite"] {
        let (person, program) = (person.contains(&json!(verb)), program.contains(&json!(verb)));
        assert_eq!((person, program), (true, false), "{verb}");
    }
    assert!(program.contains(&json!("grant:create")), "{program:?}");
}

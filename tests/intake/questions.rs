//! Counting events over time and by value, and going through all rows page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::logs::Siem;

/// Events of three hosts, of different weight, and some without a host.
fn hosts() -> String {
    let line = |number: usize| match number % 12 {
        0..6 => json!({ "host": "alpha", "n": number }),
        6..9 => json!({ "host": "beta", "n": number }),
        9..11 => json!({ "host": "gamma", "n": number }),
        _ => json!({ "n": number }),
    };
    (0..600).map(|number| format!("{}\n", line(number))).collect()
}

fn fed() -> (Siem, String) {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    siem.send(&token, "web", &hosts());
    siem.await_found("source:web", 600);
    (siem, token)
}

fn histogram(siem: &Siem, who: &str, question: &Value) -> Value {
    siem.server.post(who, "/api/v1/log/histogram", question)
}

fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn a_histogram_counts_every_event_once() {
    let (siem, _) = fed();
    for (from, buckets, step) in
        [("15m", 100, 10), ("1h", 60, 60), ("7d", 400, 1_800), ("52w", 1, 31_449_600)]
    {
        let question = json!({ "query": "source:web", "from": from, "buckets": buckets });
        let told = histogram(&siem, &siem.admin, &question);
        let all = told["buckets"].as_array().unwrap();
        let starts: Vec<i64> = all.iter().map(|bucket| seconds(&bucket["start"])).collect();
        let begin = starts[0];
        let even: Vec<i64> = (0..).map(|place| begin + place * step).take(all.len()).collect();
        assert_eq!((&starts, &told["step_ms"]), (&even, &json!(step * 1_000)), "{from}");
        let span = (seconds(&told["from"]), seconds(&told["to"]));
        assert_eq!(span, (begin, begin + step * i64::try_from(all.len()).unwrap()), "{from}");
        assert!(all.len() <= buckets + 2, "{from}: {}", all.len());
        let counts: u64 = all.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
        let told = (counts, &told["total"], &told["complete"], told.get("series"), told.get("other"));
        assert_eq!(told, (600, &json!(600), &json!(true), None, None), "{from}");
    }
    let nothing = histogram(&siem, &siem.admin, &json!({ "query": "source:web", "from": "2h", "to": "1h" }));
    let buckets = nothing["buckets"].as_array().unwrap();
    assert!(!buckets.is_empty() && buckets.iter().all(|bucket| bucket["count"] == 0), "{nothing}");
    assert_eq!((&nothing["total"], nothing["buckets"][0].get("by")), (&json!(0), None));
}

#[test]
fn a_histogram_is_told_by_the_values_of_a_column() {
    let (siem, token) = fed();
    // Also where events are in several batches, and some of them in a rare order.
    siem.send(&token, "web", &hosts());
    siem.await_found("source:web", 1_200);
    for (query, series, names, sums) in [
        ("source:web", 2, json!(["alpha", "beta", ""]), vec![600, 300, 300]),
        ("source:web", 12, json!(["alpha", "beta", "gamma", ""]), vec![600, 300, 200, 100]),
        ("source:web host:*", 3, json!(["alpha", "beta", "gamma"]), vec![600, 300, 200]),
        ("source:web not host:*", 3, json!([""]), vec![100]),
        ("host:nobody", 3, json!([]), vec![]),
    ] {
        let question = json!({ "query": query, "from": "1h", "by": "host", "series": series });
        let told = histogram(&siem, &siem.admin, &question);
        assert_eq!(told["series"], names, "{question}: {told}");
        let other = names.as_array().unwrap().contains(&json!(""));
        assert_eq!(told["other"], json!(other), "{question}: {told}");
        let mut counted = vec![0; sums.len()];
        for bucket in told["buckets"].as_array().unwrap() {
            let by = bucket["by"].as_array().unwrap().iter();
            let by: Vec<u64> = by.map(|count| count.as_u64().unwrap()).collect();
            assert_eq!(by.iter().sum::<u64>(), bucket["count"].as_u64().unwrap(), "{question}: {bucket}");
            assert_eq!(by.len(), sums.len(), "{question}: {bucket}");
            counted.iter_mut().zip(by).for_each(|(sum, count)| *sum += count);
        }
        assert_eq!(counted, sums, "{question}");
        assert_eq!(told["total"], json!(sums.iter().sum::<u64>()), "{question}");
    }
}

#[test]
fn the_most_frequent_values_are_told_and_only_of_what_one_may_see() {
    let (siem, token) = fed();
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    siem.source(&ours, "ours");
    siem.source(&theirs, "theirs");
    siem.send(&token, "ours", "{\"host\":\"Mine\",\"m\":1}\n{\"host\":\"mine\",\"m\":2}\n");
    siem.send(&token, "theirs", "{\"host\":\"foreign\",\"m\":3}\n");
    siem.await_found("m:*", 3);
    let ben = siem.analyst("ben", &ours);
    let top = |who: &str, question: &Value| siem.server.post(who, "/api/v1/log/top", question);
    let told = top(&siem.admin, &json!({ "query": "source:web", "field": "host", "limit": 2 }));
    let items = json!([{ "value": "alpha", "count": 300 }, { "value": "beta", "count": 150 }]);
    assert_eq!(told, json!({ "field": "host", "total": 550, "distinct": 3, "items": items }));
    let told = top(&ben, &json!({ "field": "host" }));
    let items = json!([{ "value": "mine", "count": 2 }]);
    assert_eq!(told, json!({ "field": "host", "total": 2, "distinct": 1, "items": items }));
    let by = histogram(&siem, &ben, &json!({ "by": "host" }));
    assert_eq!((&by["total"], &by["series"], &by["other"]), (&json!(2), &json!(["mine"]), &json!(false)));

    // A value may be as long as its sender likes; an answer may not.
    let long = json!({ "host": "long", "user": "y".repeat(200_000) });
    siem.send(&token, "ours", &format!("{long}\n"));
    siem.await_found("host:long", 1);
    let told = top(&ben, &json!({ "query": "host:long", "field": "user" }));
    let items = json!([{ "value": "y".repeat(1_024), "count": 1, "cut": true }]);
    assert_eq!(told["items"], items);
    let by = histogram(&siem, &ben, &json!({ "query": "host:long", "by": "user" }));
    assert_eq!((&by["series"], &by["total"]), (&json!(["y".repeat(1_024)]), &json!(1)));
}

#[test]
fn pages_go_through_all_rows_also_where_many_have_one_time() {
    let (siem, token) = fed();
    siem.send(&token, "web", &hosts());
    siem.send(&token, "web", &hosts());
    siem.await_found("source:web", 1_800);
    let whole = json!({ "query": "source:web", "columns": "received,id", "limit": 10_000 });
    let all = siem.rows(&siem.admin, &whole);
    let times: BTreeSet<&str> = all.iter().map(|row| row["received"].as_str().unwrap()).collect();
    assert!(all.len() == 1_800 && times.len() <= 3, "{} rows of {} times", all.len(), times.len());
    let (mut paged, mut before) = (Vec::new(), None::<Value>);
    loop {
        let mut question = json!({ "query": "source:web", "columns": "received,id", "limit": 77 });
        if let Some(before) = &before {
            question["before"] = before.clone();
        }
        let page = siem.rows(&siem.admin, &question);
        let Some(last) = page.last().cloned() else { break };
        before = Some(last);
        paged.extend(page);
    }
    let place = |rows: &[Value]| rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>();
    assert!(place(&paged) == place(&all), "pages: {:?}\nat once: {:?}", place(&paged), place(&all));
    assert!(place(&all).windows(2).all(|pair| pair[0] > pair[1]), "ids and times grow together here");
    // What comes meanwhile stands before all pages.
    siem.send(&token, "web", &hosts());
    siem.await_found("source:web", 2_400);
    let first = all.first().unwrap();
    let question = json!({ "query": "source:web", "columns": "id", "limit": 10_000, "before": first });
    assert_eq!(place(&siem.rows(&siem.admin, &question)), place(&all[1..]));
}

#[test]
fn questions_of_strangers_are_refused_with_a_reason() {
    let siem = Siem::new("");
    siem.grant(&siem.me, "auditor", &siem.top);
    let long = "x".repeat(17_000);
    let (histogram, top, search) = ("/api/v1/log/histogram", "/api/v1/log/top", "/api/v1/log/search");
    let place = json!({ "received": "2026-11-22T10:00:00Z", "id": 1 });
    for (path, question, word) in [
        (histogram, json!({ "buckets": 0 }), "1 to 400"),
        (histogram, json!({ "buckets": 401 }), "1 to 400"),
        (histogram, json!({ "buckets": -1 }), "u64"),
        (histogram, json!({ "buckets": 1.5 }), "u64"),
        (histogram, json!({ "series": 0 }), "1 to 12"),
        (histogram, json!({ "series": 13 }), "1 to 12"),
        (histogram, json!({ "by": "raw" }), "choose a column"),
        (histogram, json!({ "by": "received" }), "choose a column"),
        (histogram, json!({ "by": "no such column" }), "there is no column"),
        (histogram, json!({ "by": "host\") FROM logs; --" }), "there is no column"),
        (histogram, json!({ "from": "1h", "to": "2h" }), "is not before"),
        (histogram, json!({ "from": "yesterday" }), "is no time"),
        (histogram, json!({ "query": "(((" }), "parenthesis"),
        (histogram, json!({ "query": long }), "bytes"),
        (histogram, json!({ "sql": "SELECT 1" }), "unknown field"),
        (top, json!({}), "field"),
        (top, json!({ "field": "" }), "there is no column"),
        (top, json!({ "field": "raw" }), "choose a column"),
        (top, json!({ "field": "id" }), "choose a column"),
        (top, json!({ "field": "host", "limit": 0 }), "1 to 100"),
        (top, json!({ "field": "host", "limit": 101 }), "1 to 100"),
        (top, json!({ "field": ["host"] }), "a string"),
        (top, json!({ "field": "host", "query": "(((" }), "parenthesis"),
        (search, json!({ "before": { "received": "x", "id": 1 } }), "the body"),
        (search, json!({ "before": { "id": 1 } }), "received"),
        (search, json!({ "before": place, "sql": "SELECT 1" }), "WHERE of its own"),
        (search, json!({ "before": place, "unordered": true }), "the latest first"),
        (search, json!({ "sql": long }), "16 KiB"),
        (search, json!({ "sql": "SELECT 1", "columns": long }), "4096 bytes"),
        (search, json!({ "columns": long }), "4096 bytes"),
        (search, json!({ "from": format!("{}1m", "0".repeat(300)) }), "256 bytes"),
        (search, json!({ "limit": 0 }), "limit is"),
        ("/api/v1/log/tail", json!({ "query": "(((" }), "parenthesis"),
        ("/api/v1/log/tail", json!({ "query": long }), "bytes"),
    ] {
        let reply = siem.server.call("POST", path, Some(&siem.admin), Some(&question));
        let told = reply.body.to_string();
        assert_eq!(reply.status, 422, "{path} {question:.100}: {told}");
        assert!(told.contains(word), "{path} {question:.100}: {told}");
    }
    // The record keeps for ever what it was told: nothing of this.
    let asked = || siem.server.get(&siem.admin, "/api/v1/audit?operation=log:search")["items"].clone();
    assert_eq!(asked(), json!([]));
    siem.found("plain");
    assert_eq!(asked().as_array().map(Vec::len), Some(1), "a question that is answered is recorded");
}

#[test]
fn what_is_far_away_is_asked_like_anything_else() {
    let siem = Siem::new("");
    for (from, to) in
        [("0001-01-01", "9999-12-30"), ("1900-01-01", "1901-01-01"), ("9000-01-01", "9001-01-01")]
    {
        let question = json!({ "from": from, "to": to, "by": "host", "query": "absentword" });
        let told = histogram(&siem, &siem.admin, &question);
        assert_eq!((&told["total"], &told["complete"]), (&json!(0), &json!(true)), "{question}: {told}");
        let buckets = told["buckets"].as_array().unwrap().len();
        assert!((1..=101).contains(&buckets), "{question}: {buckets}");
    }
    let before = json!({ "received": "-000009-01-01T00:00:00Z", "id": i64::MIN });
    assert!(siem.rows(&siem.admin, &json!({ "before": before })).is_empty());
}

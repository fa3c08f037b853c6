//! Faults and limits.

use serde_json::{Value, json};

use super::super::Options;
use super::{PLAIN, Played};

#[tokio::test]
async fn faults_are_what_they_say() {
    for (fault, stored, status) in [
        ("lost-before=100%", 0, None),
        ("lost-after=100%", 1, None),
        ("500-after=100%", 1, Some(500)),
        ("503=100%", 0, Some(503)),
    ] {
        let options = Options {
            faults: fault.parse().unwrap(),
            ..Options::default()
        };
        let p = Played::with(PLAIN, options).await;
        let url = format!("{}/c", p.sandbox.base_url());
        let request = p
            .client
            .post(&url)
            .header("content-type", "application/json");
        let answer = request.body("{\"name\": \"A\"}").send().await;
        match status {
            Some(status) => {
                let answer = answer.unwrap();
                assert_eq!(answer.status().as_u16(), status, "{fault}");
                let after = answer
                    .headers()
                    .get("retry-after")
                    .map(|v| v.to_str().unwrap());
                assert_eq!(after, (status == 503).then_some("1"), "{fault}");
            }
            None => {
                let error = answer.unwrap_err();
                assert!(
                    error.is_request() && !error.is_timeout() && !error.is_connect(),
                    "{error:?}"
                );
            }
        }
        let stats = p.sandbox.stats();
        assert_eq!((stats.created, stats.faults), (stored, 1), "{fault}");
        let (_, log) = p.get("/__sandbox/requests").await;
        assert_eq!(log[0]["status"], json!(status), "{fault}");
        assert_eq!(fault.split('=').next(), log[0]["fault"].as_str());
        let (_, records) = p.get("/__sandbox/records").await;
        assert_eq!(
            records.as_array().map(Vec::len),
            Some(stored as usize),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn equal_seeds_draw_equal_faults() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let options = Options {
            faults: "503=50%".parse().unwrap(),
            seed,
            ..Options::default()
        };
        let p = Played::with(PLAIN, options).await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(p.send("POST", "/c", json!({"name": "A"})).await.0);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&503) && runs[0].contains(&201));
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let options = Options {
        rate: Some((1, 3600.0, 2)),
        ..Options::default()
    };
    let p = Played::with(PLAIN, options).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let request = p
            .request("POST", "/c")
            .header("content-type", "application/json");
        let answer = request.body("{}").send().await.unwrap();
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
        };
        let wait = header("retry-after").map(|text| text.parse::<u64>().unwrap() > 3000);
        seen.push((answer.status().as_u16(), header("x-left"), wait));
    }
    let left = |n: &str| Some(n.to_owned());
    assert_eq!(
        seen,
        [
            (201, left("1"), None),
            (201, left("0"), None),
            (429, left("0"), Some(true))
        ]
    );
    let stats = p.sandbox.stats();
    assert_eq!(
        (stats.limited, stats.refused, stats.created, stats.requests),
        (1, 0, 2, 3)
    );
}

#[tokio::test]
async fn an_idempotency_key_outlives_lost_answers() {
    let options = Options {
        faults: "lost-after=40%,lost-before=20%,500-after=20%"
            .parse()
            .unwrap(),
        seed: 3,
        ..Options::default()
    };
    let text = PLAIN.replace(
        "path = \"/c\"",
        "path = \"/c\"\nidempotency_header = \"Idempotency-Key\"",
    );
    let p = Played::with(&text, options).await;
    for n in 0..20 {
        let answered = async || {
            let request = p
                .request("POST", "/c")
                .header("content-type", "application/json");
            let request = request.header("idempotency-key", n);
            let answer = request
                .body(json!({"name": n.to_string()}).to_string())
                .send()
                .await
                .ok()?;
            let fine = answer.status().is_success();
            let body: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
            fine.then(|| body["id"].clone())
        };
        let mut id = None;
        for _ in 0..100 {
            id = answered().await;
            if id.is_some() {
                break;
            }
        }
        assert_eq!(id, Some(json!(n + 1)));
    }
    assert_eq!(
        (p.sandbox.records().len(), p.sandbox.stats().created),
        (20, 20)
    );
    assert!(p.sandbox.stats().faults > 0);
}

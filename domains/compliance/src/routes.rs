//! The routes. Proofs need the tree, which no transaction has, so their handlers are their own.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Json};
use garrison_journal::{Sealer, TreeError};
use garrison_kernel::{KernelError, ReadAct as _, problems};
use garrison_web::{Answer, Caller, Refusal, Routes, Web, query_parameters};
use tokio::sync::Mutex;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams as _, ToSchema};

use crate::acts::{NoteReview, SignReview};
use crate::pack::PackEvidence;
use crate::reads::{CHECKPOINT, Checkpoint, ListReviews, Proof, ProveRecord, ShowReview};

/// One pack is made at a time: each takes some hundred megabytes where it is full.
#[derive(Clone)]
struct Turn(Arc<Mutex<()>>);

/// All routes of compliance.
pub fn routes(sealer: Arc<Sealer>) -> Routes {
    let shared = Extension(sealer);
    let turn = Extension(Turn(Arc::default()));
    Routes::new()
        .own(
            "/api/v1/audit/{seq}/proof",
            (HttpMethod::Get, get(prove).layer(shared.clone())),
            Some(ProveRecord::VERB),
            described::<Proof>(
                "audit_prove",
                "The proof that a record is in the log, for somebody without a server.",
                true,
            ),
        )
        .own(
            "/api/v1/audit/checkpoint",
            (HttpMethod::Get, get(checkpoint).layer(shared.clone())),
            Some(CHECKPOINT),
            described::<Checkpoint>("audit_checkpoint", "How far the log is sealed, signed.", false),
        )
        .own(
            "/api/v1/evidence",
            (HttpMethod::Get, get(pack).layer((shared, turn))),
            Some(PackEvidence::VERB),
            described_pack(),
        )
        .schema::<Proof>()
        .schema::<Checkpoint>()
        .act::<NoteReview>("Say what items of a review are.")
        .act::<SignReview>("Sign a review, all of whose items have a verdict.")
        .question::<ListReviews>()
        .recorded::<ShowReview>(
            "/review/{review}",
            "A review: the records that it puts before an auditor, and what was said of them.",
        )
}

async fn prove(
    State(web): State<Web>,
    Extension(sealer): Extension<Arc<Sealer>>,
    Caller(actor): Caller,
    Path(seq): Path<String>,
) -> Answer<Json<Proof>> {
    let seq: i64 = seq.parse().map_err(|_| KernelError::NotFound)?;
    let record = web.kernel.ask(&actor, ProveRecord { seq }).await.map_err(Refusal::from)?;
    let (now, key) = (web.kernel.now(), sealer.checkpoint().1.to_string());
    let number = u64::try_from(seq).map_err(|_| KernelError::NotFound)?;
    let proven = tokio::task::spawn_blocking(move || sealer.prove(number, &record, now)).await;
    let proven = proven.map_err(|error| KernelError::BrokeOff(error.to_string()))?;
    let proof = proven.map_err(|error| refusal(&error))?.to_string();
    Ok(Json(Proof { seq, proof, key }))
}

async fn checkpoint(
    State(web): State<Web>,
    Extension(sealer): Extension<Arc<Sealer>>,
    Caller(actor): Caller,
) -> Answer<Json<Checkpoint>> {
    drop(web.kernel.read(&actor, CHECKPOINT).await?);
    let (checkpoint, key) = sealer.checkpoint();
    Ok(Json(Checkpoint { checkpoint, key: key.to_string() }))
}

async fn pack(
    State(web): State<Web>,
    Extension(sealer): Extension<Arc<Sealer>>,
    Extension(turn): Extension<Turn>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let asked: PackEvidence = query_parameters(query.as_deref())?;
    // What cannot be asked is refused before it is recorded that it was.
    asked.filter()?;
    let turn = turn.0.lock_owned().await;
    let found = web.kernel.ask(&actor, asked).await.map_err(Refusal::from)?;
    let now = web.kernel.now();
    let file = tokio::task::spawn_blocking(move || {
        // The turn is over when the work is, also where whoever asked has gone away.
        let _turn = turn;
        let pack = found.pack(&sealer, now).map_err(|error| refusal(&error))?;
        let pack = pack.ok_or_else(|| Refusal::new(&problems::NOT_FOUND, "no record fits"))?;
        pack.write().map_err(|error| {
            tracing::error!(%error, "an evidence pack could not be made");
            Refusal::new(&problems::INTERNAL, "the pack cannot be made; the server's log tells why")
        })
    });
    let file: Answer<Vec<u8>> = file.await.map_err(|error| KernelError::BrokeOff(error.to_string()))?;
    let headers =
        [(CONTENT_TYPE, "application/zip"), (CONTENT_DISPOSITION, "attachment; filename=\"evidence.zip\"")];
    Ok((headers, file?).into_response())
}

fn refusal(error: &TreeError) -> Refusal {
    let kind = match error {
        TreeError::Absent(_) => &problems::NOT_FOUND,
        TreeError::Fault(_) => &problems::TAMPERED,
        TreeError::Io { .. } | TreeError::Records(_) | TreeError::Sign(_) => &problems::INTERNAL,
    };
    tracing::error!(%error, "a record could not be proven");
    // Where files lie is for whoever looks after the machine.
    Refusal::new(kind, "the record cannot be proven; the server's log tells why")
}

fn described<B: ToSchema>(id: &str, summary: &str, of_record: bool) -> Operation {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(B::name()))).build();
    let seq = of_record.then(|| {
        ParameterBuilder::new()
            .name("seq")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .build()
    });
    OperationBuilder::new()
        .tag("audit")
        .operation_id(Some(id))
        .summary(Some(summary))
        .parameters(seq.map(|seq| [seq]))
        .response(
            "200",
            ResponseBuilder::new().description("The answer.").content("application/json", content),
        )
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
        .build()
}

fn described_pack() -> Operation {
    let file = ObjectBuilder::new().schema_type(Type::String).content_media_type("application/zip");
    let content = ContentBuilder::new().schema(Some(file)).build();
    let response =
        ResponseBuilder::new().description("The pack, a ZIP file.").content("application/zip", content);
    OperationBuilder::new()
        .tag("evidence")
        .operation_id(Some("evidence_pack"))
        .summary(Some("Records with their proofs and a report in one file, for somebody without a server."))
        .parameters(Some(PackEvidence::into_params(|| Some(ParameterIn::Query))))
        .response("200", response.build())
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
        .build()
}

//! What people do with waiting acts.

use garrison_base::RequestId;
use garrison_kernel::{
    Act, Done, FollowUp, KernelError, Module, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

const POLICY: &str = r#"
@id("everybody")
permit (
    principal in Role::"member",
    action in [Action::"request:approve", Action::"request:reject", Action::"request:withdraw", Action::"request:take"],
    resource
);
"#;

pub fn module() -> Module {
    Module::new("requests", &[], POLICY)
        .act::<Approve>()
        .act::<Reject>()
        .act::<Withdraw>()
        .act::<Take>()
        .act::<Expire>()
        .timer("approval-deadline", |request| Some(FollowUp::new(Expire { request: request.parse().ok()? })))
}

/// Declares an act on a request: its verb, its output, and what it does.
macro_rules! on_request {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } = $verb:literal -> $output:ty,
     |$tx:ident, $act:ident| $perform:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {
            pub request: RequestId,
            $(pub $field: $type,)*
        }

        impl Act for $name {
            const VERB: Verb = Verb::new($verb);
            type Output = $output;
            type Fact = ();
            type Error = KernelError;

            fn targets(&self) -> Vec<ObjectRef> {
                vec![self.request.into()]
            }

            async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
                Ok(Preview::sentence($verb))
            }

            async fn perform(&self, _permit: &Permit<Self>, $tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
                let $act = self;
                let output = $perform.await?;
                Ok(Done::new(output, Summary::of($verb), ()))
            }
        }
    };
}

on_request! {
    /// Fills the first slot that fits; tells which.
    Approve { digest: String } = "request:approve" -> String,
    |tx, act| tx.fill_slot(act.request, &act.digest, None, "looks right")
}
on_request! {
    /// Says no.
    Reject {} = "request:reject" -> (), |tx, act| tx.reject(act.request, "not today")
}
on_request! {
    /// Takes it back.
    Withdraw {} = "request:withdraw" -> (), |tx, act| tx.withdraw(act.request, "no longer needed")
}
on_request! {
    /// Takes the output.
    Take {} = "request:take" -> Json, |tx, act| tx.take_output(act.request)
}
on_request! {
    /// Ends a request that nobody decided in time.
    Expire {} = "request:expire" -> bool, |tx, act| tx.expire(act.request)
}

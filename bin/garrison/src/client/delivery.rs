//! `garrison delivery`: whether notices of alerts arrive.

use garrison_base::Exit;

use crate::cli::client::DeliveryCommand;
use crate::client::Client;
use crate::client::row::rows;

rows! {
    /// A notice on its way.
    Delivery {
        "ID" 30 "/id" "STATE" 7 "/state" "CHANNEL" 7 "/channel" "TARGET" 14 "/target" "LEVEL" 13 "/level"
        "ATTEMPTS" 8 "/attempts" "CREATED" 20 "/created" "SENT" 20 "/sent" "NEXT" 20 "/next"
        "ALERT" 30 "/alert" "LAST ERROR" 30 "/last_error"
    }
}

/// `garrison delivery`
pub fn run(command: &DeliveryCommand) -> anyhow::Result<Exit> {
    let DeliveryCommand::List(args) = command;
    let query = [
        ("state", args.state.as_deref()),
        ("target", args.target.as_deref()),
        ("alert", args.alert.as_deref()),
    ];
    Client::open(&args.list.client)?.list::<Delivery>("delivery", &query, &args.list)
}

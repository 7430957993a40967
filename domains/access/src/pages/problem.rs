//! Problems, as a page tells them: the words of the registry, and the same in Chinese.

use garrison_kernel::ProblemType;

use super::language::Lang;

/// A problem in words that a person reads.
pub(super) struct Told {
    /// In a few words.
    pub(super) title: String,
    /// What to do next.
    pub(super) advice: String,
}

/// A problem in a reader's language. One that pages do not meet stays English.
pub(super) fn told(kind: &ProblemType, lang: Lang) -> Told {
    let chinese = CHINESE.iter().find(|(name, ..)| *name == kind.name);
    match chinese.filter(|_| lang == Lang::Chinese) {
        Some((_, title, advice)) => Told { title: (*title).to_owned(), advice: (*advice).to_owned() },
        None => Told { title: capital(kind.title), advice: format!("{}.", capital(kind.advice)) },
    }
}

/// Words as the command line says them, as a page begins a sentence.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str().replace('`', ""))
}

/// The problems of access and of the kernel: name, title, advice.
const CHINESE: &[(&str, &str, &str)] = &[
    (
        "login/wrong",
        "用户名、密码或验证码错误",
        "请重试。多次失败后，该账号和该地址需等待一段时间才能再次登录。",
    ),
    ("login/ended", "本次登录已失效", "请重新登录。"),
    (
        "invitation/ended",
        "此链接已被使用或已过期",
        "请向管理员索取新的链接，或在服务器上运行 garrison recover 生成链接。",
    ),
    ("hand-over/ended", "此链接已被使用或已失效", "请运行 garrison console 生成新的链接。"),
    (
        "password/weak",
        "此密码过于容易被猜中",
        "请使用 12 至 256 个字符，不要使用您的用户名或常见密码；建议使用几个互不相关的词语。",
    ),
    ("session/needs-login", "API 令牌不能执行此操作", "请用 garrison login 登录后再试。"),
    ("session/missing", "尚未登录", "请先登录。"),
    ("access/denied", "没有权限", "运行 garrison access explain 可查看缺少哪项授权，请向节点负责人申请。"),
    ("object/not-found", "未找到", "请检查标识是否正确；您无权查看的内容同样显示为未找到。"),
    ("object/changed", "内容已被他人修改", "请重新查看后再决定。"),
    ("object/exists", "名称已存在", "请换一个名称，或使用已有的对象。"),
    ("request/malformed", "无法理解此请求", "请返回上一页后重试。"),
    ("request/invalid", "填写的内容无效", "请检查所填内容后重试。"),
    ("request/too-large", "请求过大", "请减少一次发送的内容。"),
    ("request/media-type", "请求正文必须为 JSON", "请以 application/json 格式发送。"),
    ("request/method", "此地址不支持该请求方法", "API 文档列出了支持的方法。"),
    ("idempotency/reused", "该幂等键已用于另一请求", "请为新的请求使用新的键。"),
    ("approval/decided", "该申请已有结果", "请查看该申请的状态。"),
    ("approval/void", "该申请所依据的内容已改变", "请重新提交申请，让审批人看到实际将执行的内容。"),
    ("approval/not-yours", "您不能审批此申请", "申请中列出了待审批环节所需的角色。"),
    ("rate/exceeded", "尝试次数过多", "请稍后重试。"),
    (
        "server/unavailable",
        "服务器暂时无法处理",
        "请重试。如果问题持续，请在服务器上运行 garrison doctor 查找原因。",
    ),
    (
        "server/journal",
        "无法写入操作记录",
        "恢复之前不会再执行任何操作。请在服务器上运行 garrison doctor 查找原因，然后确认本次操作是否已完成。",
    ),
    ("server/defect", "发生了不应出现的错误", "请凭请求编号在服务器日志中查找原因，并报告此问题。"),
    (
        "server/tampered",
        "数据在 Garrison 之外被修改",
        "请勿信任此数据。运行 garrison doctor 可查看是哪一条。",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::problem::types;

    #[test]
    fn every_problem_that_a_login_can_meet_is_told_in_both_languages() {
        let known: BTreeSet<&str> = CHINESE.iter().map(|(name, ..)| *name).collect();
        assert_eq!(known.len(), CHINESE.len(), "one is there twice");
        let all = garrison_kernel::problems::ALL.iter().chain(types::ALL);
        let all: BTreeSet<&str> = all.map(|kind| kind.name).collect();
        assert_eq!(known, all);
        for (name, title, advice) in CHINESE {
            let chinese = |text: &str| text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char));
            assert!(chinese(title) && chinese(advice), "{name}");
            assert!(!title.ends_with('。') && advice.ends_with('。'), "{name}");
        }
    }

    #[test]
    fn a_problem_is_told_as_sentences() {
        let english = told(&types::LINK, Lang::English);
        assert_eq!(english.title, "This link has been used, or has expired");
        assert_eq!(
            english.advice,
            "Ask an administrator for another; on the machine itself, garrison recover makes one."
        );
        assert_eq!(told(&types::LINK, Lang::Chinese).title, "此链接已被使用或已过期");
    }
}

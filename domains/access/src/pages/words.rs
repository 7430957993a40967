//! What the pages say, in both languages. Each entry is whole: nothing is put together from parts of sentences.

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// Everything that pages say.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        /// In English.
        pub(super) static EN: Words = Words { $($name: $en,)* };

        /// In Simplified Chinese.
        pub(super) static ZH: Words = Words { $($name: $zh,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $zh)),*];
    };
}

words! {
    log_in: "Log in", "登录";
    go_on: "Go on", "继续";
    name: "Name", "用户名";
    password: "Password", "密码";
    full_name: "Full name", "姓名";
    email: "Email", "电子邮箱";
    tenant_hint: "Put the name of your tenant in front: tenant/name.", "请在用户名前加上租户名称：租户/用户名。";

    password_title: "Choose a password", "设置密码";
    password_hint: "12 to 256 characters. Several words that do not belong together are good.",
        "密码长度为 12 至 256 个字符，建议使用几个互不相关的词语。";
    new_password: "New password", "新密码";

    app_title: "Authenticator app", "身份验证器应用";
    app_hint: "Scan this with an authenticator app, or type the secret into it. Then type the code that it shows.",
        "请用身份验证器应用扫描二维码，或在应用中手动输入密钥，然后在此输入应用显示的验证码。";
    app_picture: "QR code for an authenticator app", "供身份验证器应用扫描的二维码";
    app_open: "Open it in an app on this device", "在本设备的应用中打开";

    code_title: "Second factor", "两步验证";
    code_hint: "Type the code that your authenticator app shows, or one of your recovery codes.",
        "请输入身份验证器应用显示的验证码，或您的任意一个恢复码。";
    code: "Code", "验证码";

    welcome: "Welcome to Garrison", "欢迎使用 Garrison";
    founder_hint: "You become the first administrator. Tell who you are: the name is what you will log in with.",
        "您将成为首位管理员。请填写您的信息，今后将使用此用户名登录。";
    activate_hint: "This link is for the account {name}. With it you choose a password, once.",
        "此链接用于为账号 {name} 设置密码，只能使用一次。";
    bad_name: "Use 1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit. A few names, such as me, are not free.",
        "请使用 1 至 64 个字符：小写字母、数字、点、下划线和连字符，并以字母或数字开头。少数名称（如 me）不可使用。";
    bad_full_name: "Type 1 to 500 characters.", "请输入 1 至 500 个字符。";
    bad_email: "Type an address such as name@example.org.", "请输入有效的邮箱地址，例如 name@example.org。";

    codes_title: "Recovery codes", "恢复码";
    codes_hint: "Keep these where only you find them. Each lets you in once, when the app is lost. They are not shown again.",
        "请将恢复码保存在只有您能找到的地方。身份验证器应用丢失后，每个恢复码可用于登录一次。恢复码不会再次显示。";
    codes_kept: "I have kept them", "我已保存";

    enter_title: "Log in with this browser", "在此浏览器中登录";
    enter_hint: "You will be logged in as {name}. Go on only if you made this link yourself.",
        "您将以 {name} 的身份登录。仅当此链接由您本人创建时，才可继续。";

    account_title: "Your sessions", "您的会话";
    account_hint: "You are logged in as {name}.", "您当前以 {name} 的身份登录。";
    to_console: "To the console", "前往控制台";
    browser: "Browser", "浏览器";
    command_line: "Command line", "命令行";
    this_session: "This session", "当前会话";
    address: "Address", "地址";
    program: "Program", "客户端";
    begun: "Begun", "登录时间";
    used: "Last used", "最近使用";
    ends: "Ends at the latest", "最晚结束时间";
    end_session: "End this session", "终止此会话";
    log_out: "Log out", "退出登录";

    wait: "Try again in {seconds} s.", "请在 {seconds} 秒后重试。";
}

/// A sentence with its one blank filled in.
pub(super) fn fill(sentence: &str, blank: &str, value: &str) -> String {
    sentence.replace(&format!("{{{blank}}}"), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanks(text: &str) -> Vec<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(blank, _)| blank).collect()
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
    }

    #[test]
    fn both_languages_say_everything() {
        for (name, en, zh) in ALL {
            assert!(!en.trim().is_empty() && !is_chinese(en), "{name}: {en:?}");
            assert!(is_chinese(zh), "{name}: {zh:?}");
            assert_eq!(blanks(en), blanks(zh), "{name}");
            // A sentence ends like one in both.
            assert_eq!(en.ends_with('.'), zh.ends_with('。'), "{name}: {en:?} and {zh:?}");
        }
        assert!(ALL.len() > 30, "{}", ALL.len());
    }

    #[test]
    fn a_blank_is_filled_in() {
        assert_eq!(fill(EN.account_hint, "name", "anna"), "You are logged in as anna.");
        assert_eq!(fill(ZH.account_hint, "name", "{name}"), "您当前以 {name} 的身份登录。");
    }
}

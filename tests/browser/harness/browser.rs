//! A browser as a test uses it: its tabs, its pages, its cookies.

use serde_json::{Value, json};
use thirtyfour::{By, WebDriver, WindowHandle};

use super::{
    client::is_of_session,
    engine::{Engine, Profile, Running},
    stage::{EMAIL, PASSWORD},
    until,
};

/// A browser, looked at through one of its tabs at a time.
pub(crate) struct Browser(Running);

impl Browser {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self(engine.start().await)
    }

    /// Starts Chromium with the profile of one before.
    pub(crate) async fn open(profile: Profile) -> Self {
        Self(Engine::Chromium.start_in(profile).await)
    }

    /// Closes it as its user does.
    pub(crate) async fn close(self) -> Profile {
        self.0.close().await
    }

    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(self) -> Profile {
        self.0.kill().await
    }

    fn driver(&self) -> &WebDriver {
        &self.0.driver
    }

    pub(crate) async fn go(&self, url: &str) {
        self.driver().goto(url).await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.driver().refresh().await.unwrap();
    }

    pub(crate) async fn back(&self) {
        self.driver().back().await.unwrap();
    }

    /// The value of a script's `return`.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let done = self.driver().execute(script, []).await;
        done.unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// The value of a script's `return`, unless the page is one that loads.
    pub(crate) async fn tried(&self, script: &str) -> Option<Value> {
        let done = self.driver().execute(script, []).await;
        done.ok().map(|done| done.json().clone())
    }

    /// Waits until the page of a [`Site`](super::Site) shows this status.
    pub(crate) async fn until_status(&self, status: &str) {
        let script = format!("return document.documentElement.dataset.status === '{status}'");
        until(&format!("the session is {status}"), async || {
            self.tried(&script).await == Some(json!(true))
        })
        .await;
    }

    /// Types into a field, as a user does.
    pub(crate) async fn type_into(&self, id: &str, text: &str) {
        let field = self.driver().find(By::Id(id)).await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The result of a promise: `script` is the body of an asynchronous function.
    pub(crate) async fn wait_for(&self, script: &str) -> Value {
        let wrapped = format!(
            "const done = arguments[0];
             (async () => {{ {script} }})().then(done, (error) => done(`failed: ${{error}}`));"
        );
        let done = self.driver().execute_async(wrapped, []).await;
        done.unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// Waits until the page says `status` in its corner, and shows the view that goes with it.
    pub(crate) async fn until_state(&self, status: &str) {
        let view = if status == "signed-in" {
            "account"
        } else {
            "sign-in"
        };
        let script = format!(
            "return document.getElementById('state')?.dataset.status === '{status}' \
             && !document.getElementById('{view}').hidden"
        );
        // Not every moment of a page that loads has a document to ask.
        until(&format!("the page is {status}"), async || {
            let shown = self.driver().execute(&script, []).await;
            shown.is_ok_and(|shown| shown.json() == &Value::Bool(true))
        })
        .await;
    }

    /// Fills the form in and sends it, as a user would.
    pub(crate) async fn sign_in(&self) {
        self.until_state("signed-out").await;
        for (id, text) in [("login-email", EMAIL), ("password", PASSWORD)] {
            let field = self.driver().find(By::Id(id)).await.unwrap();
            field.clear().await.unwrap();
            field.send_keys(text).await.unwrap();
        }
        let button = self.driver().find(By::Id("login-button")).await.unwrap();
        button.click().await.unwrap();
        self.until_state("signed-in").await;
    }

    pub(crate) async fn click(&self, id: &str) {
        self.run(&format!("document.getElementById('{id}').click()"))
            .await;
    }

    /// Clicks the link or button that a CSS selector finds, which may lead to another page.
    pub(crate) async fn press(&self, selector: &str) {
        let found = self.driver().find(By::Css(selector)).await;
        let found = found.unwrap_or_else(|error| panic!("{selector}: {error}"));
        found.click().await.unwrap();
    }

    /// Waits until a page is shown that says this.
    pub(crate) async fn until_says(&self, text: &str) {
        let script = "return document.body?.innerText";
        until(&format!("the page says `{text}`"), async || {
            let shown = self.driver().execute(script, []).await;
            // Not every moment of a page that loads has a document to ask.
            shown.is_ok_and(|shown| {
                shown
                    .json()
                    .as_str()
                    .is_some_and(|said| said.contains(text))
            })
        })
        .await;
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        let text = self
            .run(&format!(
                "return document.getElementById('{id}').textContent"
            ))
            .await;
        text.as_str().unwrap().to_owned()
    }

    pub(crate) async fn until_text(&self, id: &str, part: &str) {
        until(&format!("#{id} says `{part}`"), async || {
            self.text(id).await.contains(part)
        })
        .await;
    }

    /// Opens this many tabs at once, as a browser does that restores its last session.
    pub(crate) async fn open_tabs(&self, url: &str, count: usize) -> Vec<WindowHandle> {
        let known = self.driver().windows().await.unwrap();
        self.run(&format!(
            "for (let i = 0; i < {count}; i += 1) open('{url}', '_blank', 'noopener')"
        ))
        .await;
        let mut new = Vec::new();
        until("the tabs are open", async || {
            new = self.driver().windows().await.unwrap();
            new.retain(|tab| !known.contains(tab));
            new.len() == count
        })
        .await;
        new
    }

    /// Opens a tab, and looks at it.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let tab = self.driver().new_tab().await.unwrap();
        self.switch_to(&tab).await;
        tab
    }

    pub(crate) async fn until_title(&self, title: &str) {
        until(&format!("the title is `{title}`"), async || {
            self.driver()
                .title()
                .await
                .is_ok_and(|shown| shown == title)
        })
        .await;
    }

    pub(crate) async fn tab(&self) -> WindowHandle {
        self.driver().window().await.unwrap()
    }

    /// Looks at another tab.
    pub(crate) async fn switch_to(&self, tab: &WindowHandle) {
        self.driver().switch_to_window(tab.clone()).await.unwrap();
    }

    /// All cookies of the profile, those that no page may read included. Chromium alone tells them.
    pub(crate) async fn cookies(&self) -> Vec<Value> {
        let all = self.cdp("Network.getAllCookies", json!({})).await;
        all["cookies"].as_array().unwrap().clone()
    }

    /// Takes cookies over that `cookies` has told, of another profile.
    pub(crate) async fn take(&self, cookies: Vec<Value>) {
        self.cdp("Network.setCookies", json!({ "cookies": cookies }))
            .await;
    }

    /// The tab sends this `User-Agent` from now on.
    pub(crate) async fn call_itself(&self, agent: &str) {
        let agent = json!({ "userAgent": agent });
        self.cdp("Network.setUserAgentOverride", agent).await;
    }

    /// Forgets what the browser forgets when it is closed, of the host of the page.
    pub(crate) async fn forget_session_cookies(&self) {
        for cookie in self.driver().get_all_cookies().await.unwrap() {
            if cookie.expiry.is_none() {
                self.driver().delete_cookie(cookie.name).await.unwrap();
            }
        }
    }

    /// Names and values of the session's cookies: refresh cookie and jar cookie.
    pub(crate) async fn session_cookies(&self) -> Vec<(String, String)> {
        let cookies = self.cookies().await;
        let text = |cookie: &Value, member: &str| cookie[member].as_str().unwrap().to_owned();
        let pairs = cookies.iter().map(|c| (text(c, "name"), text(c, "value")));
        pairs.filter(|(name, _)| is_of_session(name)).collect()
    }

    /// Name and value of the refresh cookie.
    pub(crate) async fn refresh_cookie(&self) -> Option<(String, String)> {
        let mut cookies = self.session_cookies().await.into_iter();
        cookies.find(|(name, _)| name.ends_with("refresh_token"))
    }

    /// A command of Chromium's own.
    pub(crate) async fn cdp(&self, method: &str, parameters: Value) -> Value {
        let done = self.driver().cdp().send_raw(method, parameters).await;
        done.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.driver().screenshot_as_png().await.unwrap()
    }
}

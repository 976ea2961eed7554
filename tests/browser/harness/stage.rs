//! Everything one scenario plays on.

use super::{Browser, Client, Engine, Seen, example::Example, proxy::Proxy, until};

/// The account of the demonstration.
pub(crate) const EMAIL: &str = "dev@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The example behind the proxy, and a browser.
pub(crate) struct Stage {
    pub(crate) browser: Browser,
    /// Where the page is, as the browser has it.
    pub(crate) origin: String,
    pub(crate) proxy: Proxy,
    example: Example,
}

impl Stage {
    /// With the cookies as https has them. Chromium keeps those on 127.0.0.1 too.
    pub(crate) async fn start() -> Self {
        Self::with("127.0.0.1", &[("INSECURE_COOKIE", "0")]).await
    }

    /// With no settings, in a browser of this engine.
    pub(crate) async fn plain(engine: Engine) -> Self {
        Self::set(engine, "127.0.0.1", &[]).await
    }

    /// With other settings of the example, and on a host that the browser takes for this machine.
    pub(crate) async fn with(host: &str, settings: &[(&str, &str)]) -> Self {
        Self::set(Engine::Chromium, host, settings).await
    }

    async fn set(engine: Engine, host: &str, settings: &[(&str, &str)]) -> Self {
        let proxy = Proxy::start().await;
        let origin = format!("http://{host}:{}", proxy.port);
        let mut settings = settings.to_vec();
        settings.push(("ALLOWED_ORIGINS", &origin));
        let example = Example::demo(&settings).await;
        proxy.target(example.port());
        let browser = Browser::start(engine).await;
        browser.go(&origin).await;
        Self {
            browser,
            origin,
            proxy,
            example,
        }
    }

    /// With a user signed in.
    pub(crate) async fn signed_in() -> Self {
        let stage = Self::start().await;
        stage.browser.sign_in().await;
        stage
    }

    /// A client beside the browser.
    pub(crate) fn client(&self, agent: &str) -> Client {
        Client::new(&self.origin, agent)
    }

    /// The requests to `path` that have been answered.
    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        self.proxy.asked(path)
    }

    /// How often the service took something for theft.
    pub(crate) async fn alarms(&self) -> usize {
        self.logged("an old refresh token came back").await
    }

    /// How many lines of the service's log begin so.
    ///
    /// The log comes through a pipe, later than its answers. So it gets something to write that nothing else makes it
    /// write. Everything before that line has then been read.
    pub(crate) async fn logged(&self, start: &str) -> usize {
        let count = |start: &str| {
            let log = self.example.log();
            log.iter().filter(|line| line.starts_with(start)).count()
        };
        let mark = "refused with 403: Origin, Sec-Fetch-Site or Referer occurs more than once";
        let marks = count(mark);
        // Straight to the service: the browser's name for this machine is the browser's alone.
        Client::new(&self.example.url, "two origins")
            .ask_twice()
            .await;
        until("the log is read", async || count(mark) > marks).await;
        count(start)
    }
}

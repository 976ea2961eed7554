// The page's part: an access token, kept in a variable, and a way out.
const output = document.querySelector("output");
const change = (path) => fetch(path, {
  method: "POST",
  headers: { "X-CSRF-Token": document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)?.[1] ?? "" },
});
const refreshed = await change("/auth/refresh");
if (refreshed.ok) {
  const { access_token: token } = await refreshed.json();
  const answer = await fetch("/api/whoami", { headers: { Authorization: `Bearer ${token}` } });
  output.textContent = await answer.text();
} else if (refreshed.status === 401) {
  output.parentElement.hidden = true;
  document.querySelector("[data-over]").hidden = false;
} else {
  output.textContent = `… (${refreshed.status}: please reload)`;
}
document.querySelector("button").onclick = async () => {
  await change("/auth/logout");
  location.reload();
};

// An OpenID provider for tests: the certified oidc-provider, with a page that signs anyone in.
// node provider.mjs PORT CONSOLE. Who writes "maria-ops" is maria, in the group ops; who writes "maria-ops+mfa"
// has proved a second factor too.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [port, desk] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const PAGE = `<!doctype html><title>Provider</title><form method="post">
<label>Login <input name="login" autofocus></label><button>Sign in at the provider</button></form>`;

const accountOf = (id) => {
  const [name, ...groups] = id.split("-");
  const claims = { sub: id, preferred_username: `${name}@shop.example`, name: `${name} Test`, groups };
  return { accountId: id, claims: () => claims };
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "countersign",
      client_secret: "a secret of the test",
      redirect_uris: [`${desk}/sign-in/provider/callback`],
      backchannel_logout_uri: `${desk}/sign-in/provider/logout`,
      backchannel_logout_session_required: true,
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: {
    openid: ["sub", "amr"],
    profile: ["preferred_username", "name", "groups"],
    email: ["email"],
    auth_time: null,
    sid: null,
  },
  conformIdTokenClaims: false,
  findAccount: (_, id) => accountOf(id),
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: false },
    // Its own pages load fonts from elsewhere.
    rpInitiatedLogout: {
      logoutSource: (context, form) => {
        context.body = `${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button>`;
      },
      postLogoutSuccessSource: (context) => {
        context.body = "Signed out";
      },
    },
  },
  pkce: { required: () => true },
  // The console is on this machine, where the provider does not call others by default.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  // Nobody is asked what the console may know.
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
  cookies: { keys: ["for tests only"] },
});
provider.on("server_error", (_, error) => console.error(error));

const respond = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    return respond(request, response);
  }
  if (request.method === "GET") {
    return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
  }
  let body = "";
  for await (const part of request) {
    body += part;
  }
  const [accountId, mfa] = new URLSearchParams(body).get("login").split("+");
  const login = { accountId, amr: mfa ? ["pwd", "mfa"] : ["pwd"] };
  return provider.interactionFinished(request, response, { login });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));

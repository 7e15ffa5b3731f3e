// A real OpenID provider for tests: the certified npm package oidc-provider, with
// plain pages of our own. Its settings come as JSON in the environment.
import http from 'node:http';
import {generateKeyPairSync, randomUUID} from 'node:crypto';
import {Provider, errors} from 'oidc-provider';

const settings = JSON.parse(process.env.BADGEBRIDGE_OIDC);
const accounts = new Map(settings.accounts.map((a) => [a.id, a]));

const key = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({format: 'jwk'}), kid: randomUUID(), use: 'sig', alg,
});
const escape = (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>${escape(title)}</title><h1>${escape(title)}</h1>${body}`;

const provider = new Provider(settings.issuer, {
  clients: [{
    client_id: settings.clientID,
    client_secret: settings.clientSecret,
    redirect_uris: settings.redirectURIs,
    post_logout_redirect_uris: settings.postLogoutRedirectURIs,
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  jwks: {keys: [key('rsa', {modulusLength: 2048}, 'RS256'), key('ec', {namedCurve: 'P-256'}, 'ES256')]},
  cookies: {keys: [randomUUID()]},
  pkce: {required: () => true},
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'locale'],
    roles: ['roles'],
  },
  // By the letter of the standard: with a code, claims are in the user info only.
  conformIdTokenClaims: true,
  findAccount: (ctx, id) => accounts.has(id) && ({accountId: id, claims: () => ({sub: id, ...accounts.get(id).claims})}),
  interactions: {url: (ctx, interaction) => `/interaction/${interaction.uid}`},
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = page('Error', `<p id="error">${escape(out.error)}: ${escape(out.error_description ?? '')}</p>`);
  },
  features: {
    devInteractions: {enabled: false},
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page('Sign out', `${form}<button id="sign-out" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
      },
      postLogoutSuccessSource: (ctx) => { ctx.body = page('Signed out', ''); },
    },
  },
});

async function form(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > 10000) throw new Error('too long');
  }
  return new URLSearchParams(body);
}

async function consent(details) {
  const {prompt, params, session, grantId} = details;
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({accountId: session.accountId, clientId: params.client_id});
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  return {consent: {grantId: await grant.save()}};
}

async function interaction(req, res) {
  const details = await provider.interactionDetails(req, res);
  const show = (title, body) => {
    res.setHeader('Content-Type', 'text/html; charset=utf-8');
    res.end(page(title, `<form method="post">${body}<button id="refuse" name="do" value="refuse">No</button></form>`));
  };
  const {prompt: {name}} = details;
  const sent = req.method === 'POST' ? await form(req) : undefined;
  if (sent?.get('do') === 'refuse') {
    return provider.interactionFinished(req, res, {error: 'access_denied', error_description: 'refused by the person'});
  }
  if (name === 'login') {
    const account = accounts.get(sent?.get('account'));
    if (account && account.password === sent.get('password')) {
      return provider.interactionFinished(req, res, {login: {accountId: account.id}});
    }
    return show('Sign in', `<input id="account" name="account"><input id="password" name="password" type="password">
      <button id="sign-in" name="do" value="sign-in">Sign in</button>`);
  }
  if (name === 'consent') {
    if (sent) return provider.interactionFinished(req, res, await consent(details), {mergeWithLastSubmission: true});
    return show('Share with the gateway?', '<button id="agree" name="do" value="agree">Yes</button>');
  }
  throw new Error(`no page for ${name}`);
}

const callback = provider.callback();
const server = http.createServer((req, res) => {
  if (!req.url.startsWith('/interaction/')) return callback(req, res);
  interaction(req, res).catch((err) => {
    res.statusCode = err instanceof errors.OIDCProviderError ? 400 : 500;
    res.end(page('Error', `<p id="error">${escape(err.message)}</p>`));
  });
});
server.listen(settings.port, '127.0.0.1', () => console.log('ready'));
// The parent closes stdin when it is gone, however it went.
process.stdin.on('end', () => process.exit(0)).resume();

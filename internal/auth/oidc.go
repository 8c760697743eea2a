package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"lianqin/internal/fault"
)

// OIDCConfig is a provider of single sign-on.
type OIDCConfig struct {
	Name     string // for the button: "随申办"
	Issuer   string // its URL, as its tokens say it
	ClientID string
	Secret   string
}

// OIDC lets people in who sign in at another service: authorization code with
// PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636). It makes no
// accounts: an administrator binds each one's subject. It is safe for
// concurrent use.
type OIDC struct {
	cfg    OIDCConfig
	client *http.Client

	mu       sync.Mutex
	provider *oidc.Provider // nil until it was reached once
}

// oidcTimeout is how long the provider may take for each answer.
const oidcTimeout = 10 * time.Second

// NewOIDC does not ask the provider yet: the service starts without it.
func NewOIDC(cfg OIDCConfig) *OIDC {
	return &OIDC{cfg: cfg, client: &http.Client{Timeout: oidcTimeout}}
}

// Name is what the provider is called.
func (o *OIDC) Name() string { return o.cfg.Name }

// Attempt is one sign-in under way. Its fields are secrets of the browser that
// began it.
type Attempt struct{ State, Nonce, Verifier string }

// discover reads the provider's description when it is first needed.
func (o *OIDC) discover(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	// The provider keeps its context for its keys, beyond this request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.cfg.Issuer)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "single sign-on %s cannot be reached: %w", o.cfg.Issuer, err)
	}
	o.provider = p
	return p, nil
}

func (o *OIDC) oauth2(p *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: o.cfg.ClientID, ClientSecret: o.cfg.Secret, Endpoint: p.Endpoint(),
		RedirectURL: redirect, Scopes: []string{oidc.ScopeOpenID}}
}

// Begin is a new attempt, and where the browser goes for it. Redirect is our
// own URL, to which the provider sends it back. Unavailable when the provider
// cannot be reached.
func (o *OIDC) Begin(ctx context.Context, redirect string) (Attempt, string, error) {
	p, err := o.discover(ctx)
	if err != nil {
		return Attempt{}, "", err
	}
	a := Attempt{State: randomText(), Nonce: randomText(), Verifier: oauth2.GenerateVerifier()}
	return a, o.oauth2(p, redirect).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

func randomText() string { return base64.RawURLEncoding.EncodeToString(randomBytes(24)) }

// Finish turns the code that the browser brought back for a into the subject
// that signed in, "issuer subject". It is Denied when the provider, its token,
// or the nonce does not hold.
func (o *OIDC) Finish(ctx context.Context, redirect string, a Attempt, code string) (string, error) {
	p, err := o.discover(ctx)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	tokens, err := o.oauth2(p, redirect).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", fault.New(fault.Denied, "single sign-on did not take the code") // its answer may hold secrets
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return "", fault.New(fault.Denied, "single sign-on sent no identity")
	}
	id, err := p.Verifier(&oidc.Config{ClientID: o.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", fault.New(fault.Denied, "single sign-on sent an identity that does not hold: %w", err)
	}
	if id.Nonce != a.Nonce || a.Nonce == "" {
		return "", fault.New(fault.Denied, "single sign-on answered another attempt")
	}
	return id.Issuer + " " + id.Subject, nil
}

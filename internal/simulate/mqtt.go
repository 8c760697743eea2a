package simulate

import (
	"context"
	"errors"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// phone is OwnTracks over MQTT 3.1.1.
type phone struct {
	client paho.Client
	topic  string
}

func (t *Target) dialMQTT(ctx context.Context, d *Identity) (link, error) {
	options := paho.NewClientOptions().AddBroker("tcp://" + t.Address).SetProtocolVersion(4).
		SetClientID(d.Unit).SetUsername(d.Unit).SetPassword(d.Secret).SetCleanSession(true).
		SetAutoReconnect(false).SetConnectTimeout(t.Timeout).SetWriteTimeout(t.Timeout).SetOrderMatters(false)
	m := &phone{paho.NewClient(options), "owntracks/" + d.Unit + "/phone"}
	err := wait(ctx, m.client.Connect())
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised), errors.Is(err, packets.ErrorRefusedIDRejected):
		return nil, refusal("connect as %s: %w", d.Unit, err)
	case err != nil:
		return nil, unreached("connect", err)
	}
	return m, nil
}

func wait(ctx context.Context, token paho.Token) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-token.Done():
		return token.Error()
	}
}

// send publishes all and then waits for the broker's word on each.
func (m *phone) send(ctx context.Context, reports []Report) (int, error) {
	tokens := make([]paho.Token, 0, len(reports))
	for i := range reports {
		body, err := ownTracksLocation(&reports[i])
		if err != nil {
			return 0, err
		}
		tokens = append(tokens, m.client.Publish(m.topic, 1, true, body))
	}
	for i, token := range tokens {
		if err := wait(ctx, token); err != nil {
			return i, unreached("publish", err)
		}
	}
	return len(reports), nil
}

func (m *phone) close() { m.client.Disconnect(uint((100 * time.Millisecond).Milliseconds())) }

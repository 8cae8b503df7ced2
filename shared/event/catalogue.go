package event

import (
	"embed"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Trigger describes one action to people; the texts follow the Academy's help page.
type Trigger struct {
	Action      Action          `json:"action"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Sample      json.RawMessage `json:"sample"` // the body of a test delivery
}

// To add a trigger: a constant above, a row here, a file in samples/. Everything else follows from these.
var catalogue = []Trigger{
	{Action: OrderCreate, Title: "Заказ создан",
		Description: "Покупатель добавил в заказ первый билет: нажал «+» рядом с билетом в форме регистрации. Имя и контакты ещё неизвестны."},
	{Action: OrderUpdate, Title: "Заказ обновлён",
		Description: "Покупатель перешёл к оплате, но ещё не заплатил, или в заказе что-то изменилось. Приходит часто, обычно уже с контактами."},
	{Action: OrderComplete, Title: "Заказ завершён",
		Description: "Оплата и регистрация завершены. Контакты покупателя и участников известны."},
	{Action: OrderTicketCreate, Title: "Билет добавлен в заказ",
		Description: "В форме регистрации нажали «+» рядом с билетом. Имя и контакты ещё неизвестны."},
	{Action: OrderTicketUpdate, Title: "Билет обновлён в заказе",
		Description: "В форме регистрации к билету добавили опцию или убрали её. Контакты могут быть ещё неизвестны."},
	{Action: OrderTicketCancel, Title: "Билет отменён в заказе",
		Description: "Организатор или участник отменил билет. Контакты известны."},
}

//go:embed samples/*.json
var samples embed.FS

var byAction = func() map[Action]int {
	all := make(map[Action]int, len(catalogue))
	for i, t := range catalogue {
		all[t.Action] = i
	}
	return all
}()

// sampleEvents are read when the first one is asked for: most processes never need one, and reading them all is a good part
// of a cold start. They are compiled in, so a fault in one is a fault of the build, which the tests find.
var sampleEvents = sync.OnceValue(func() map[Action]Event {
	all := make(map[Action]Event, len(catalogue))
	for _, t := range catalogue {
		raw, err := samples.ReadFile("samples/" + string(t.Action) + ".json")
		if err != nil {
			panic(err)
		}
		if err := (*jsontext.Value)(&raw).Compact(); err != nil {
			panic(err)
		}
		if all[t.Action], err = Parse(raw); err != nil {
			panic(err)
		}
	}
	return all
})

var triggers = sync.OnceValue(func() []Trigger {
	all := slices.Clone(catalogue)
	for i := range all {
		all[i].Sample = sampleEvents()[all[i].Action].Body(true)
	}
	return all
})

// Triggers lists the six actions with their texts and samples; the caller must not change them.
func Triggers() []Trigger { return triggers() }

// Sample is a fictitious event of this action for an account, as a test delivery sends it.
func Sample(action Action, accountID, id string, at time.Time) Event {
	e := sampleEvents()[action]
	e.ID, e.AccountID, e.OccurredAt = id, accountID, at.UTC().Truncate(time.Second)
	return e
}

func actionNames() []string {
	names := make([]string, len(catalogue))
	for i, t := range catalogue {
		names[i] = string(t.Action)
	}
	return names
}

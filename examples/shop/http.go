package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Handler serves the shop:
//
//	GET  /products/42          its page, as JSON
//	POST /products/42/buy?n=2  an order, as JSON; 409 when it is sold out
//
// A client is who the header Client says; a real shop would know better. One that asks
// too often is told 429 and when to come back.
func (s *Shop) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products/{id}", s.guard(func(r *http.Request, _ string, id int64) (any, error) {
		return s.Page(r.Context(), id)
	}))
	mux.HandleFunc("POST /products/{id}/buy", s.guard(func(r *http.Request, client string, id int64) (any, error) {
		n, err := strconv.ParseInt(r.FormValue("n"), 10, 64)
		if err != nil || n < 1 {
			return nil, errBadRequest
		}
		return s.Buy(r.Context(), client, id, n)
	}))
	return mux
}

var errBadRequest = errors.New("the product and n must be positive integers")

// guard lets a request through to what answers it: first its session, and its rate.
func (s *Shop) guard(answer func(r *http.Request, client string, id int64) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		client := r.Header.Get("Client")
		if client == "" {
			client = "anonymous"
		}
		session, err := r.Cookie("session")
		if err != nil {
			session = &http.Cookie{Name: "session", Value: uuid.NewString(), Path: "/", HttpOnly: true}
			http.SetCookie(w, session)
		}
		verdict, err := s.Visit(r.Context(), session.Value, client)
		switch {
		case err != nil:
			respond(w, nil, err)
			return
		case !verdict.Allowed:
			w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(verdict.RetryAfter.Seconds())))
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil || id < 1 {
			respond(w, nil, errBadRequest)
			return
		}
		value, err := answer(r, client, id)
		respond(w, value, err)
	}
}

func respond(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, errBadRequest):
		status = http.StatusBadRequest
	case errors.Is(err, pipectx.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, errSoldOut):
		status = http.StatusConflict
	case errors.Is(err, lock.ErrTimeout):
		status = http.StatusServiceUnavailable
	default:
		status = http.StatusInternalServerError
	}
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // who does not read it has gone
}

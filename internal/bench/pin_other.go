//go:build !linux

package main

// pin does nothing here: the times of lone calls swing more.
func pin(...int) (unpin func() error, err error) { return func() error { return nil }, nil }

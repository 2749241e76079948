package main

import "context"

func measureRedis(context.Context, string) ([]Result, error) { return nil, nil }

package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// push brings an image to a repository, such as http://registry/v2/bgp, in the words of
// the OCI Distribution Specification 1.1: each blob by one POST, then the manifest.
func push(ctx context.Context, repository string, image v1.Image) error {
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	digest, err := image.ConfigName()
	if err != nil {
		return err
	}
	if err := pushBlob(ctx, repository, digest, config); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := pushLayer(ctx, repository, l); err != nil {
			return err
		}
	}
	return pushManifest(ctx, repository, image)
}

func pushLayer(ctx context.Context, repository string, l v1.Layer) error {
	digest, err := l.Digest()
	if err != nil {
		return err
	}
	reader, err := l.Compressed() // as it is in the image
	if err != nil {
		return err
	}
	content, err := io.ReadAll(reader)
	if err := errors.Join(err, reader.Close()); err != nil {
		return err
	}
	return pushBlob(ctx, repository, digest, content)
}

func pushBlob(ctx context.Context, repository string, digest v1.Hash, content []byte) error {
	query := url.Values{"digest": {digest.String()}}
	return send(ctx, http.MethodPost, repository+"/blobs/uploads/?"+query.Encode(), "application/octet-stream", content)
}

func pushManifest(ctx context.Context, repository string, image v1.Image) error {
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	kind, err := image.MediaType()
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	return send(ctx, http.MethodPut, repository+"/manifests/"+digest.String(), string(kind), manifest)
}

// maxAnswer bounds what is read of a refusal.
const maxAnswer = 4096

func send(ctx context.Context, method, where, kind string, content []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // for people
		return fmt.Errorf("%s %s: %s: %s", method, where, response.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

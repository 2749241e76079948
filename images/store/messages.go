package store

import "google.golang.org/protobuf/encoding/protowire"

// The numbers of the fields are those of k8s.io/cri-api, runtime/v1/api.proto, and
// of containerd's api/services/content/v1/content.proto.

// imageRequest is ImageStatusRequest, PullImageRequest and RemoveImageRequest: field
// 1 is an ImageSpec, whose field 1 is the name.
func imageRequest(name string) []byte { return nested(1, nested(1, []byte(name))) }

// Image is an image that is on the switch.
type Image struct {
	// ID is the digest of its configuration.
	ID string
	// Tags and Digests are its full names: NAME:TAG and NAME@sha256:….
	Tags, Digests []string
	// Size in bytes, as it is in the registry: compressed.
	Size uint64
}

func decodeImage(message []byte) (Image, error) {
	var i Image
	err := fields(message, func(field protowire.Number, text []byte, number uint64) error {
		switch field {
		case 1:
			i.ID = string(text)
		case 2:
			i.Tags = append(i.Tags, string(text))
		case 3:
			i.Digests = append(i.Digests, string(text))
		case 4:
			i.Size = number
		}
		return nil
	})
	return i, err
}

// decodeImages reads ListImagesResponse, and ImageStatusResponse, which has one
// image or none.
func decodeImages(message []byte) ([]Image, error) {
	var images []Image
	err := fields(message, func(field protowire.Number, text []byte, _ uint64) error {
		if field != 1 {
			return nil
		}
		image, err := decodeImage(text)
		images = append(images, image)
		return err
	})
	return images, err
}

// decodeUsed reads ListContainersResponse: the images that containers run, by id or
// by name.
func decodeUsed(message []byte) (map[string]bool, error) {
	used := map[string]bool{}
	err := fields(message, func(field protowire.Number, text []byte, _ uint64) error {
		if field != 1 {
			return nil
		}
		return fields(text, func(field protowire.Number, text []byte, _ uint64) error {
			if field == 5 || field == 10 { // image_ref, image_id
				used[string(text)] = true
			}
			return nil
		})
	})
	return used, err
}

// decodeRoot reads ImageFsInfoResponse: the folder that images are kept in.
func decodeRoot(message []byte) (root string, err error) {
	err = fields(message, func(field protowire.Number, text []byte, _ uint64) error {
		if field != 1 { // image_filesystems
			return nil
		}
		return fields(text, func(field protowire.Number, text []byte, _ uint64) error {
			if field != 2 { // fs_id
				return nil
			}
			return fields(text, func(field protowire.Number, text []byte, _ uint64) error {
				if field == 1 {
					root = string(text)
				}
				return nil
			})
		})
	})
	return root, err
}

// decodeTransfers sums up ListStatusesResponse: what is being fetched right now.
func decodeTransfers(message []byte) (done, total int64, err error) {
	err = fields(message, func(field protowire.Number, text []byte, _ uint64) error {
		if field != 1 {
			return nil
		}
		return fields(text, func(field protowire.Number, _ []byte, number uint64) error {
			switch field {
			case 4:
				done += int64(number)
			case 5:
				total += int64(number)
			}
			return nil
		})
	})
	return done, total, err
}
